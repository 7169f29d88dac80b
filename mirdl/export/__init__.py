"""A model for programs that are not this one."""
