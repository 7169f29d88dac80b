"""From an audio file to a spectrogram to the chunks that a network sees."""
