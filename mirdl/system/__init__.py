"""What any program needs that must not lose work: files, locks, processes, progress."""
