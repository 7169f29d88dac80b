"""Which files count as audio."""

import os

ENDINGS = (
    ".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".au", ".snd", ".aif", ".aiff", ".aifc",
    ".m4a", ".m4b", ".mp4", ".aac", ".wma", ".wave", ".bwf", ".rf64", ".w64", ".caf", ".voc",
    ".mp2", ".mka", ".wv", ".tta", ".ac3",
)


def is_audio(name: str) -> bool:
    """Tell whether a file of this name counts as audio: a known ending, and not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in ENDINGS
