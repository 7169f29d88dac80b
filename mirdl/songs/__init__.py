"""Which songs there are, and how they are divided into folds."""
