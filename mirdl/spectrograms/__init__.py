"""From a sound file to numbers to chunks."""
