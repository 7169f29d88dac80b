"""Networks by name, and the layers that Lasagne 0.1 does not have."""
