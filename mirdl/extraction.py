"""Spectrograms of files that nobody has vouched for."""

import os

from mirdl.isolated import Died, isolated

# what a decoder may take of the machine for one song: far above what a sound file needs, and a bound for a hostile one
SECONDS, SECONDS_PER_MB = 60, 10
MEMORY, MEMORY_PER_BYTE = 2**31, 1000


class Passing(str):
    """A reason that may not hold at the next run (no permission, a crash), so that the song is tried again."""


def computeOrReason(file, DS):
    """The spectrogram of an audio file as `features.computeSpectrogram` gives it, or, in words, why there is none.

    The decoder runs in a process of its own, so that a file that crashes it or keeps it for ever costs no other song.
    """
    from mirdl import features      # only in the processes that need it
    if DS["specTransform"] == "mel":
        features.melWeights(DS["melBands"], DS["frameSize"] // 2 + 1)       # once, for all the forks of this process
    size = os.path.getsize(file) if os.path.exists(file) else 0
    try:
        return isolated(features.computeSpectrogram, file, DS, seconds=SECONDS + SECONDS_PER_MB * size // 2**20,
                        memory=MEMORY + MEMORY_PER_BYTE * size)
    except features.Unopened as reason:
        return Passing(reason)
    except features.Unreadable as reason:
        return str(reason)
    except MemoryError:
        return Passing(f"cannot be decoded: takes more than {MEMORY >> 30} GB of memory")
    except Died as reason:
        return Passing(f"cannot be decoded: the decoder {reason}")
