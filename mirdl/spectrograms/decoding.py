"""What counts as an audio file, and its spectrogram, whatever the file holds."""

import os

from mirdl.system.isolated import ProcessDiedError, isolated

SAMPLE_RATE = 44100     # Hz, to which songs are resampled
ENDINGS = (".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".au", ".snd", ".aif", ".aiff", ".m4a", ".mp4",
           ".aac", ".wma")
# what a decoder may take of the machine for one song: far above what a sound file needs, and a bound for a hostile one
SECONDS, SECONDS_PER_MB = 60, 10
MEMORY, MEMORY_PER_BYTE = 2**31, 1000


def is_audio(name):
    """Whether a file of this name is taken for audio: a known ending, and not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in ENDINGS


class Passing(str):
    """A reason that may not hold at the next run (no permission, a crash), so that the song is tried again."""


def compute_or_reason(file, DS):
    """The spectrogram of an audio file as `features.compute_spectrogram` gives it, or, in words, why there is none.

    The decoder runs in a process of its own, so that a file that crashes it or keeps it for ever costs no other song.
    """
    from mirdl.spectrograms import features  # only in the processes that need it
    if DS["specTransform"] == "mel":
        features.mel_weights(DS["melBands"], DS["frameSize"] // 2 + 1)       # once, for all the forks of this process
    size = os.path.getsize(file) if os.path.exists(file) else 0
    try:
        return isolated(features.compute_spectrogram, file, DS, seconds=SECONDS + SECONDS_PER_MB * size // 2**20,
                        memory=MEMORY + MEMORY_PER_BYTE * size)
    except features.Unopened as reason:
        return Passing(reason)
    except features.Unreadable as reason:
        return str(reason)
    except MemoryError:
        return Passing(f"cannot be decoded: takes more than {MEMORY >> 30} GB of memory")
    except ProcessDiedError as reason:
        return Passing(f"cannot be decoded: the decoder {reason}")
