"""What the scripts share, in five rooms: system, spectrograms, songs, results, training."""
