"""From chunks to a model."""
