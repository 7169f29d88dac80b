"""Where audio files are found."""

import os
from pathlib import Path

from mirdl.spectrograms.decoding import is_audio


def below(folder, onerror=None):
    """The paths of the audio files in `folder` and in the folders below it, sorted.

    Hidden folders are passed over, and links that lead back up. `onerror` takes the OSError of a folder that cannot be read.
    """
    found = []
    for path, folders, names in os.walk(folder, onerror=onerror, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and not _leads_up(Path(path, name))]
        found += [os.path.join(path, name) for name in names if is_audio(name)]
    return sorted(found)


def _leads_up(folder):
    return folder.is_symlink() and any(folder.samefile(above) for above in folder.absolute().parents)
