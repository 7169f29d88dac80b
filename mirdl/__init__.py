"""What the scripts share: settings, features, the cache, chunks, results."""
