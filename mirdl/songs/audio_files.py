"""Where the audio files of a data set are: data/datasets/NAME, usually in a folder per tag."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from mirdl.errors import UserError
from mirdl.songs import public_sets
from mirdl.songs.dataset import Songs
from mirdl.songs.given_tables import composed
from mirdl.songs.wording import names_of, some
from mirdl.spectrograms.audio import ENDINGS, is_audio

ROOT = os.path.join("data", "datasets")


def folder_of(dataset: str) -> str:
    """Find the folder of a data set; a public data set that is missing is downloaded.

    Parameters
    ----------
    dataset : str
        Name of a folder in data/datasets.

    Returns
    -------
    str
        Its absolute path.

    Raises
    ------
    UserError
        If there is no such data set, or it cannot be downloaded.
    """
    folder = os.path.abspath(os.path.join(ROOT, dataset))
    if dataset in public_sets.SETS and not os.path.isdir(folder):
        from mirdl.songs.download import download  # takes 0.2 s, rarely used
        download(dataset, public_sets.SETS[dataset], ROOT)
    if not os.path.isdir(folder):
        others = _folders(ROOT) if os.path.isdir(ROOT) else []
        raise UserError(
            f"there is no data set {dataset!r}: expected the folder {folder} with one folder of "
            f"songs per class; data sets there: {', '.join(others) or 'none'}"
        )
    return folder


def in_folders(folder: str) -> Songs:
    """Find all audio files below the tag folders of a data set.

    Hidden files, files whose names are not those of audio, and links that lead back up are
    skipped. The notes say how many files were passed over.

    Parameters
    ----------
    folder : str
        That of the data set; the folders in it are named as the tags.

    Returns
    -------
    Songs
        Their names are TAG/file, sorted.

    Raises
    ------
    UserError
        If a folder cannot be read, a link is broken, a tag has no audio file or two tags differ
        only in how they are encoded.
    """
    tags = _folders(folder)
    _check_links(folder)
    _check_spelling(tags, folder)
    songs, others = {}, Counter()
    for tag in tags:
        paths = list(files_below(os.path.join(folder, tag), cannot_read))
        audio = sorted(path for path in paths if is_audio(os.path.basename(path)))
        passed = Counter(os.path.splitext(path)[1].lower() or "no ending"
                         for path in set(paths).difference(audio))
        if not audio:
            but = f" (but {_counted(passed)})" if passed else ""
            raise UserError(
                f"the tag {tag!r} of data set {os.path.basename(folder)!r} has no audio file{but}; "
                f"put songs ({' '.join(ENDINGS[:4])} ...) into {os.path.join(folder, tag)} or "
                "remove it"
            )
        songs.update((os.path.relpath(path, folder), (path, tag)) for path in audio)
        others += passed
    return Songs(songs, notes=_passed_over(others, folder))


def below(folder: str, onerror: Callable[[OSError], None] | None = None) -> list[str]:
    """Find the audio files in a folder and in the folders below it.

    Hidden folders are skipped, and links that lead back up.

    Parameters
    ----------
    folder : str
        Where to look.
    onerror : callable, optional
        Called with the OSError of each folder that cannot be read; by default these are skipped.

    Returns
    -------
    list of str
        Their paths, sorted.
    """
    return sorted(path for path in files_below(folder, onerror) if is_audio(os.path.basename(path)))


def files_below(folder: str, onerror: Callable[[OSError], None] | None) -> Iterator[str]:
    """Find the files in a folder and in the folders below it, without hidden ones."""
    for path, folders, names in os.walk(folder, onerror=onerror, followlinks=True):
        folders[:] = [
            name for name in folders
            if not name.startswith(".") and not _leads_up(Path(path, name))
        ]
        yield from (os.path.join(path, name) for name in names if not name.startswith("."))


def cannot_read(error: OSError) -> NoReturn:
    """Refuse a folder that cannot be read."""
    raise UserError(
        f"cannot read the folder {error.filename!r}: {error.strerror}; "
        "change its permissions or remove it"
    ) from error


def _folders(folder: str) -> list[str]:
    """Return the names of the folders in `folder`, sorted, without hidden ones."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        cannot_read(error)
    return [name for name in names if os.path.isdir(os.path.join(folder, name))]


def _counted(others: Counter) -> str:
    """Write how many files there are of each ending, most first: '.jpg 3, .webm 1'."""
    most = sorted(others.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{ending} {count}" for ending, count in most)


def _passed_over(others: Counter, folder: str) -> list[str]:
    """Report other files, and audio files that are in no folder of a tag."""
    notes = []
    loose = sorted(entry.name for entry in os.scandir(folder)
                   if is_audio(entry.name) and entry.is_file())
    if count := others.total():
        notes.append(f"{some(count, 'other file was', 'other files were')} passed over: "
                     f"{_counted(others)}")
    if loose:
        notes.append(f"{some(len(loose), 'audio file is', 'audio files are')} outside the "
                     f"folders of the tags and {'has' if len(loose) == 1 else 'have'} no tag: "
                     f"{names_of(loose)}")
    return notes


def _check_spelling(tags: list[str], folder: str) -> None:
    """Refuse tags that look the same: é may be one character, or an e and an accent."""
    alike = defaultdict(list)
    for tag in tags:
        alike[composed(tag)].append(tag)
    for spellings in alike.values():
        if len(spellings) > 1:
            raise UserError(
                f"the folders {' and '.join(map(ascii, spellings))} of {folder} differ only in "
                "how their accents are encoded, and would be two tags; put their songs into one"
            )


def _check_links(folder: str) -> None:
    """Refuse broken links, which may have been tags."""
    for entry in os.scandir(folder):
        if entry.is_symlink() and not os.path.exists(entry.path):
            raise UserError(f"{entry.path!r} is a broken link; fix or remove it")


def _leads_up(folder: Path) -> bool:
    above = folder.absolute().parents
    return folder.is_symlink() and any(folder.samefile(parent) for parent in above)
