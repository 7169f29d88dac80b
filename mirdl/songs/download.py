"""Public data sets, downloaded and unpacked into data/datasets."""

import os
import shutil
import tarfile
import tempfile
import time
import zlib
from functools import partial

import pooch
import requests

from mirdl.errors import UserError
from mirdl.songs.public_sets import PublicSet
from mirdl.spectrograms.audio import is_audio
from mirdl.system.locks import locked
from mirdl.system.progress import bar
from mirdl.system.whole_files import make_folder

# Ballroom's server answers 403 to some programs
AGENT = "Mozilla/5.0 (compatible; mirdl; music research)"
TRIES, PAUSE = 4, 2     # attempts, and seconds between them
BLOCK = 2**18           # bytes written at a time
pooch.get_logger().setLevel("WARNING")      # what it would log is printed here


def download(name: str, known: PublicSet, root: str) -> None:
    """Download a public data set and unpack it to root/name.

    Parameters
    ----------
    name : str
        Of the data set's folder.
    known : PublicSet
        Where the archive is and which of its folders have which tag.
    root : str
        data/datasets. An archive that was put here by hand is used, and removed once unpacked.

    Raises
    ------
    UserError
        If it cannot be downloaded or is damaged. Then no data set is left behind, but the
        downloaded part of the archive is, and the next run continues from there.
    """
    make_folder(root)
    archive = os.path.join(root, os.path.basename(known.url))
    waiting = f"  waiting for another run that downloads {archive} ..."
    with locked(archive + ".lock", partial(print, waiting, flush=True)):
        if os.path.isdir(os.path.join(root, name)):
            return
        print(f"Data set {name} is missing; downloading it from {known.url}", flush=True)
        try:
            pooch.retrieve(known.url, f"md5:{known.md5}", os.path.basename(archive), root,
                           downloader=partial(_resume, archive + ".part"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot download data set {name!r} from {known.url}: {_reason(error)}; run again "
                f"to continue, or put the archive there by hand: {os.path.abspath(archive)} (md5 "
                f"{known.md5}), or put one folder of songs per tag into "
                f"{os.path.abspath(os.path.join(root, name))}; 'make run' needs no download"
            ) from error
        unpack(archive, name, known, root)
        os.unlink(archive)


def unpack(archive: str, name: str, known: PublicSet, root: str) -> None:
    """Unpack the archive of a data set to root/name, completely or not at all.

    Parameters
    ----------
    archive : str
        Path of the .tar.gz.
    name, known, root
        See `download`.

    Raises
    ------
    UserError
        If it is damaged.
    """
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=root) as folder:
        songs = os.path.join(folder, "songs")
        try:
            # "data" refuses what leads out of the folder, and devices
            shutil.unpack_archive(archive, folder, filter="data")
            _gather(os.path.join(folder, known.folder), songs, known.merged)
            os.rename(songs, os.path.join(root, name))
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise UserError(
                f"cannot unpack {archive!r}: {_reason(error)}; remove it and run again"
            ) from error


def _resume(part: str, url: str, output: str, _: object) -> None:
    """Continue the download `part` for pooch, and try again if that fails."""
    for attempt in range(TRIES):
        try:
            _fetch(url, part)
            break
        except requests.RequestException as error:
            refused = error.response is not None and error.response.status_code < 500
            if refused or attempt == TRIES - 1:
                raise
            print(f"  {_reason(error)}; trying again in {PAUSE} s", flush=True)
            time.sleep(PAUSE)
    os.replace(part, output)


def _fetch(url: str, part: str) -> None:
    done = os.path.getsize(part) if os.path.exists(part) else 0
    headers = {"User-Agent": AGENT} | ({"Range": f"bytes={done}-"} if done else {})
    with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
        if answer.status_code == 416:   # nothing is missing; the checksum shows if it is wrong
            return
        answer.raise_for_status()
        done = done if answer.status_code == 206 else 0     # 200: the whole file comes again
        # otherwise urllib3 drops the last block when the connection breaks
        answer.raw.enforce_content_length = False
        size = done + int(answer.headers.get("Content-Length", 0))
        with open(part, "ab" if done else "wb") as file, bar(
                total=size or None, initial=done, desc="download", unit="B",
                unit_scale=True) as progress:
            for block in answer.iter_content(BLOCK):
                file.write(block)
                progress.update(len(block))
            if file.tell() < size:
                raise requests.ConnectionError(
                    f"the connection broke after {file.tell()} of {size} bytes")


def _gather(unpacked: str, folder: str, merged: dict[str, str]) -> None:
    """Move the songs of `unpacked`/FOLDER to `folder`/TAG."""
    for source in sorted(entry.name for entry in os.scandir(unpacked) if entry.is_dir()):
        tag = merged.get(source, source)
        os.makedirs(os.path.join(folder, tag), exist_ok=True)
        for song in filter(is_audio, os.listdir(os.path.join(unpacked, source))):
            shutil.move(os.path.join(unpacked, source, song), os.path.join(folder, tag, song))


def _reason(error: Exception) -> str:
    """Return the error in one line; if no connection was made, without the address."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    text = str(cause).partition("): ")[2] or str(cause) if cause else str(error)
    return " ".join(text.split()) or type(error).__name__
