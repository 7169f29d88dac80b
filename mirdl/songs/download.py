"""Public data sets, fetched and unpacked into data/datasets."""

import os
import shutil
import tarfile
import tempfile
import time
import zlib

import pooch
import requests

from mirdl.errors import UserError
from mirdl.spectrograms.decoding import is_audio
from mirdl.system.locks import locked
from mirdl.system.progress import bar
from mirdl.system.whole_files import make_folder

AGENT = "Mozilla/5.0 (compatible; mirdl; music research)"    # the server of Ballroom answers 403 to some programs
pooch.get_logger().setLevel("WARNING")       # what it does is told here
TRIES, PAUSE = 4, 2     # attempts, and seconds from one to the next


def download(name, known, root):
    """Fetch a public data set, unpack it to root/name and verify its number of songs.

    Parameters
    ----------
    name : str
        Of the folder that it becomes.
    known : known.Known
    root : str
        data/datasets. The archive may lie here already, put by hand, and is removed once unpacked.

    Raises
    ------
    UserError
        If it cannot be fetched, is damaged, or does not hold what it should. No folder is left behind; what was fetched
        of an archive is, so that the next run goes on from there.
    """
    make_folder(root)
    archive = os.path.join(root, os.path.basename(known.url))
    with locked(archive + ".lock", lambda: print(f"  waiting for another run that downloads {archive} ...", flush=True)):
        if os.path.isdir(os.path.join(root, name)):
            return
        print(f"Data set {name} is not there; fetching it from {known.url}", flush=True)
        try:
            pooch.retrieve(known.url, f"md5:{known.md5}", os.path.basename(archive), root, downloader=_Resuming(archive + ".part"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot download data set {name!r} from {known.url}: {_reason(error)}; run again to go on, or put the archive by "
                f"hand: {os.path.abspath(archive)} (md5 {known.md5}), or a folder of songs for each tag into "
                f"{os.path.abspath(os.path.join(root, name))}; 'make run' needs no download") from error
        unpack(archive, name, known, root)
        os.unlink(archive)


class _Resuming:
    """A downloader for pooch that goes on where `partial`, what is there of the file, ends, and tries again."""

    def __init__(self, partial):
        self.partial = partial

    def __call__(self, url, output, _):
        for attempt in range(TRIES):
            try:
                self._fetch(url)
                break
            except requests.RequestException as error:
                refused = error.response is not None and error.response.status_code < 500
                if refused or attempt == TRIES - 1:
                    raise
                print(f"  {_reason(error)}; trying again in {PAUSE} s", flush=True)
                time.sleep(PAUSE)
        os.replace(self.partial, output)

    def _fetch(self, url):
        there = os.path.getsize(self.partial) if os.path.exists(self.partial) else 0
        headers = {"User-Agent": AGENT} | ({"Range": f"bytes={there}-"} if there else {})
        with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
            if answer.status_code == 416:       # nothing comes after what is there: it is whole, or the checksum will tell
                return
            answer.raise_for_status()
            there = there if answer.status_code == 206 else 0       # 200: the server sends all of it again
            answer.raw.enforce_content_length = False   # or urllib3 drops the last block of a connection that breaks
            size = there + int(answer.headers.get("Content-Length", 0))
            with open(self.partial, "ab" if there else "wb") as file, \
                    bar(total=size or None, initial=there, desc="download", unit="B", unit_scale=True) as progress:
                for block in answer.iter_content(2**18):
                    file.write(block)
                    progress.update(len(block))
            if os.path.getsize(self.partial) < size:
                raise requests.ConnectionError(f"the connection broke after {os.path.getsize(self.partial)} of {size} bytes")


def unpack(archive, name, known, root):
    """Unpack the archive of a data set to root/name, whole or not at all; see `download`."""
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=root) as folder:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")       # nothing outside the folder, no links out of it, no devices
            songs = _gather(os.path.join(folder, known.folder), os.path.join(folder, "songs"), known)
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise UserError(f"cannot unpack {archive!r}: {_reason(error)}; remove it and run again") from error
        if songs != known.songs:
            wrong = ", ".join(f"{tag} {songs.get(tag, 0)} (expected {known.songs.get(tag, 0)})"
                              for tag in sorted(set(songs) | set(known.songs)) if songs.get(tag) != known.songs.get(tag))
            raise UserError(f"{archive!r} does not hold the songs of data set {name!r}: {wrong}; remove it and run again")
        os.rename(os.path.join(folder, "songs"), os.path.join(root, name))


def _gather(unpacked, folder, known):
    """Move the songs in `unpacked`/FOLDER to `folder`/TAG; tag -> number of songs."""
    counts = {}
    for source in sorted(entry.name for entry in os.scandir(unpacked) if entry.is_dir()):
        tag = known.merged.get(source, source)
        os.makedirs(os.path.join(folder, tag), exist_ok=True)
        for song in filter(is_audio, os.listdir(os.path.join(unpacked, source))):
            shutil.move(os.path.join(unpacked, source, song), os.path.join(folder, tag, song))
        counts[tag] = len(os.listdir(os.path.join(folder, tag)))
    return counts


def _reason(error):
    """The error in a line; without the address, which is told elsewhere, where no connection was made."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    text = str(cause).partition("): ")[2] or str(cause) if cause else str(error)
    return " ".join(text.split()) or type(error).__name__
