"""What counts as an audio file."""

import os

SAMPLE_RATE = 44100     # Hz, to which songs are resampled
AUDIO = ('.wav', '.mp3', '.flac', '.ogg', '.oga', '.opus', '.au', '.snd', '.aif', '.aiff', '.m4a', '.mp4', '.aac', '.wma')


def isAudio(name):
    """Whether a file of this name is taken for audio: a known extension, and not hidden."""
    return not name.startswith('.') and os.path.splitext(name)[1].lower() in AUDIO
