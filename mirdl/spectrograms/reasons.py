"""Why a file has no spectrogram: decoders' messages, reworded to say what to do."""

CONVERT = "convert it to wav or flac"
SPLIT = "split it into shorter files"
UNKNOWN = f"its codec is not known; {CONVERT}"
# Essentia's messages -> ours
CLEARER = {
    "Invalid data found when processing input":
        "it is not a sound file, or it is damaged; replace it",
    # libsndfile's, which is seen where Essentia is not installed
    "Format not recognised":
        f"it is not a sound file, or of a kind that only Essentia reads; {CONVERT}",
    "End of file": "it ends before any sound; replace it",
    "Audio file has more than 2 channels": "it has more than 2 channels; mix it down to stereo",
    "Could not initialize swresample context":
        "it has channels that Essentia does not know; mix it down to stereo",
    "Unable to instantiate codec": UNKNOWN,
    "Unsupported codec!": UNKNOWN,
    "Operation not permitted": UNKNOWN,
    "SRC ratio outside [1/256, 256] range":
        "its sample rate is below 173 Hz or above 11 MHz; resample it",
    "(0,inf)": "its sample rate is above 2147483647 Hz; resample it",
}
OUT_OF_MEMORY = (
    "bad_alloc",
    "Cannot allocate memory",
    "dang null object",     # Essentia, if there is no memory for the array that it returns
)


class UnreadableError(Exception):
    """Why a file has no spectrogram, in a few words."""


class UnopenedError(UnreadableError):
    """The file could not even be opened, which may change without any change to the file."""


class UndecodedError(UnreadableError):
    """The reader cannot decode the file, which another reader may."""


class TemporaryReason(str):
    """A reason that may be gone at the next run (no permission, a crash): the song is retried."""


def advised(error: Exception) -> str:
    """Return the last clause of a decoder's message, without the file name, and what to do."""
    clause = str(error)
    for separator in ("error = ", ": ", ". "):
        clause = clause.rpartition(separator)[2]
    clause = clause.strip().rstrip(".")
    return CLEARER.get(clause) or f"{clause or 'unknown error'}; {CONVERT}"


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether a decoder failed because it could not get the memory that it needs."""
    return any(words in str(error) for words in OUT_OF_MEMORY)


def in_words(size: int) -> str:
    """Write a number of bytes: '30 MB', '2.5 GB', '12 GB'."""
    if size < 2**30:
        return f"{size / 2**20:.0f} MB"
    gigabytes = size / 2**30
    return f"{gigabytes:.0f} GB" if gigabytes >= 10 else f"{gigabytes:.1f} GB"
