"""Where the audio files of a data set are: data/datasets/NAME/TAG/..."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from mirdl.errors import UserError
from mirdl.songs import public_sets
from mirdl.songs.download import download
from mirdl.songs.groups import composed
from mirdl.songs.wording import names_of, some
from mirdl.spectrograms.decoding import ENDINGS, is_audio

ROOT = os.path.join("data", "datasets")


def find_songs(dataset: str) -> dict[str, str]:
    """Find all audio files below the tag folders of a data set.

    A public data set that is missing is downloaded. Skipped are hidden files, files whose names
    are not those of audio, and links that lead back up. How many files were passed over is printed.

    Parameters
    ----------
    dataset : str
        Name of a folder in data/datasets.

    Returns
    -------
    dict of str
        Song name (TAG/file) -> absolute path, sorted.

    Raises
    ------
    UserError
        If there is no such data set, a folder cannot be read, a link is broken, a tag has no
        audio file or two tags differ only in how they are encoded.
    """
    folder = os.path.abspath(os.path.join(ROOT, dataset))
    if dataset in public_sets.SETS and not os.path.isdir(folder):
        download(dataset, public_sets.SETS[dataset], ROOT)
    if not os.path.isdir(folder):
        others = _folders(ROOT) if os.path.isdir(ROOT) else []
        raise UserError(
            f"there is no data set {dataset!r}: expected the folder {folder} with one folder of "
            f"songs per class; data sets there: {', '.join(others) or 'none'}"
        )
    tags = _folders(folder)
    _check_links(folder)
    _check_spelling(tags, folder)
    songs, others = {}, Counter()
    for tag in tags:
        paths = list(_files(os.path.join(folder, tag), _cannot_read))
        audio = sorted(path for path in paths if is_audio(os.path.basename(path)))
        passed = Counter(map(_ending, set(paths).difference(audio)))
        if not audio:
            raise UserError(
                f"the tag {tag!r} of data set {dataset!r} has no audio file{_but(passed)}; put "
                f"songs ({' '.join(ENDINGS[:4])} ...) into {os.path.join(folder, tag)} or remove it"
            )
        songs.update((os.path.relpath(path, folder), path) for path in audio)
        others += passed
    _print_passed_over(others, _without_a_tag(folder))
    return songs


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
    return sorted(path for path in _files(folder, onerror) if is_audio(os.path.basename(path)))


def tag_of(name: str) -> str:
    """Return the tag of a song's name, TAG/file."""
    return name.split(os.sep)[0]


def _folders(folder: str) -> list[str]:
    """Return the names of the folders in `folder`, sorted, without hidden ones."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        _cannot_read(error)
    return [name for name in names if os.path.isdir(os.path.join(folder, name))]


def _files(folder: str, onerror: Callable[[OSError], None] | None) -> Iterator[str]:
    """Find the files in a folder and in the folders below it, without hidden ones."""
    for path, folders, names in os.walk(folder, onerror=onerror, followlinks=True):
        folders[:] = [
            name for name in folders
            if not name.startswith(".") and not _leads_up(Path(path, name))
        ]
        yield from (os.path.join(path, name) for name in names if not name.startswith("."))


def _without_a_tag(folder: str) -> list[str]:
    """Return the names of the audio files that lie beside the folders of the tags."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if is_audio(entry.name) and entry.is_file())


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower() or "no ending"


def _but(others: Counter) -> str:
    return f" (but {_counted(others)})" if others else ""


def _counted(others: Counter) -> str:
    """Write how many files there are of each ending, most first: '.jpg 3, .webm 1'."""
    most = sorted(others.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{ending} {count}" for ending, count in most)


def _print_passed_over(others: Counter, loose: list[str]) -> None:
    if count := others.total():
        print(f"  {some(count, 'other file was', 'other files were')} passed over: "
              f"{_counted(others)}")
    if loose:
        print(f"  {some(len(loose), 'sound lies', 'sounds lie')} beside the folders of the tags "
              f"and {'has' if len(loose) == 1 else 'have'} no tag: {names_of(loose)}")


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
            raise UserError(f"{entry.path!r} is a broken link; mend or remove it")


def _leads_up(folder: Path) -> bool:
    above = folder.absolute().parents
    return folder.is_symlink() and any(folder.samefile(parent) for parent in above)


def _cannot_read(error: OSError) -> NoReturn:
    raise UserError(
        f"cannot read the folder {error.filename!r}: {error.strerror}; "
        "change its permissions or remove it"
    ) from error
