"""Published networks: their weights, fetched once and kept."""
