"""What any program needs that must not lose anything."""
