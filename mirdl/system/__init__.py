"""What a program that must not lose work needs: files, locks, processes, progress."""
