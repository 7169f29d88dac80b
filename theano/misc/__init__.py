"""What serves everywhere."""
