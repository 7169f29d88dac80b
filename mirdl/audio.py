"""What counts as an audio file, and where to find them."""

import os
from pathlib import Path

SAMPLE_RATE = 44100     # Hz, to which songs are resampled
AUDIO = (".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".au", ".snd", ".aif", ".aiff", ".m4a", ".mp4", ".aac", ".wma")


def isAudio(name):
    """Whether a file of this name is taken for audio: a known extension, and not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in AUDIO


def below(folder, onerror=None):
    """The paths of the audio files in `folder` and in the folders below it, sorted.

    Hidden folders are passed over, and links that lead back up. `onerror` takes the OSError of a folder that cannot be read.
    """
    found = []
    for path, folders, names in os.walk(folder, onerror=onerror, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and not _leadsUp(Path(path, name))]
        found += [os.path.join(path, name) for name in names if isAudio(name)]
    return sorted(found)


def _leadsUp(folder):
    return folder.is_symlink() and any(folder.samefile(above) for above in folder.absolute().parents)
