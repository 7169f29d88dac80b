import hashlib
import io
import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.songs import download, public_sets
from mirdl.songs.audio_files import folder_of, in_folders

MERGED = {"Rumba-Misc": "Rumba", "Rumba-American": "Rumba"}
INSIDE = [
    "Rumba-Misc/1.wav", "Rumba-American/2.wav", "Rumba-American/3.wav", "Waltz/4.wav",
    "Waltz/5.wav", "allBallroomFiles",
]


def archive(names=INSIDE, folder="BallroomData", links=()):
    """Return the bytes of a .tar.gz of the same shape as Ballroom's."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name in names:
            # random bytes do not shrink, so the archive is large enough to be cut
            content = np.random.RandomState(len(name)).bytes(20000)
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name, target in links:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return file.getvalue()


@pytest.fixture
def server(monkeypatch):
    """Serve one file, `content`, over HTTP.

    Each answer breaks off after as many bytes as `cuts` says; `requests` lists what was asked.
    """

    class Handler(BaseHTTPRequestHandler):
        content, cuts, requests, ranges = b"", [], [], True

        def do_GET(self):
            begin = self.headers.get("Range", "bytes=0-")[6:-1] if Handler.ranges else "0"
            Handler.requests.append((int(begin), self.headers["User-Agent"]))
            if not Handler.content:
                return self.send_error(404)
            if int(begin) >= len(Handler.content):
                return self.send_error(416)
            part = Handler.content[int(begin):]
            self.send_response(206 if int(begin) else 200)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part[:Handler.cuts.pop(0)] if Handler.cuts else part)

        def log_message(self, *_):
            pass
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    monkeypatch.setattr(download, "PAUSE", 0)
    Handler.url = f"http://127.0.0.1:{http.server_port}/data1.tar.gz"
    yield Handler
    http.shutdown()
    http.server_close()


@pytest.fixture
def ballroom(server, workplace, monkeypatch):
    """Make Ballroom come from the server: ballroom(content)."""
    def serve(content, md5=None):
        server.content = content
        md5 = md5 or hashlib.md5(content).hexdigest()
        found = public_sets.PublicSet(server.url, md5, "BallroomData", MERGED, ())
        monkeypatch.setitem(public_sets.SETS, "Ballroom", found)
    return serve


def find_songs(dataset):
    return in_folders(folder_of(dataset)).paths


def left():
    return sorted(os.listdir("data/datasets"))


def test_a_missing_set_is_downloaded_merged_and_counted(ballroom, server):
    ballroom(archive())
    songs = find_songs("Ballroom")
    rumba, waltz = ["Rumba/1.wav", "Rumba/2.wav", "Rumba/3.wav"], ["Waltz/4.wav", "Waltz/5.wav"]
    assert sorted(songs) == rumba + waltz
    assert all(os.path.getsize(path) == 20000 for path in songs.values()) and left() == ["Ballroom"]
    [(begin, agent)] = server.requests
    assert begin == 0 and "curl" not in agent and "python" not in agent
    server.requests.clear()
    assert find_songs("Ballroom") == songs and not server.requests


def test_a_download_cut_off_goes_on_where_it_ended(ballroom, server):
    content = archive()
    server.cuts += [30000, 20000]
    ballroom(content)
    assert len(find_songs("Ballroom")) == 5
    assert [begin for begin, _ in server.requests] == [0, 30000, 50000]


def test_a_download_goes_on_in_the_next_run(ballroom, server):
    content = archive()
    server.cuts += [10000] * 4
    ballroom(content)
    message = "the connection broke after 40000 of .* run again to continue"
    with pytest.raises(UserError, match=message):
        find_songs("Ballroom")
    assert left() == ["data1.tar.gz.part"]
    assert len(find_songs("Ballroom")) == 5
    assert server.requests[-1][0] == 40000 and left() == ["Ballroom"]


def test_a_server_without_ranges_sends_all_of_it_again(ballroom, server, monkeypatch):
    monkeypatch.setattr(server, "ranges", False)
    server.cuts += [10000]
    ballroom(archive())
    assert len(find_songs("Ballroom")) == 5


def test_a_wrong_checksum_leaves_nothing(ballroom):
    ballroom(archive(), md5="0" * 32)
    message = ("cannot download data set 'Ballroom' .*hash.* put the archive there by hand: "
               f".*data1.tar.gz .md5 {'0' * 32}")
    with pytest.raises(UserError, match=message):
        find_songs("Ballroom")
    assert left() == []


def test_a_dead_link_tells_what_to_do_by_hand(ballroom, server):
    ballroom(b"")
    message = "404 .*data/datasets/data1.tar.gz .md5 .*'make run' needs no download"
    with pytest.raises(UserError, match=message):
        find_songs("Ballroom")
    assert len(server.requests) == 1, "a refusal is not asked again"
    content = archive()
    ballroom(content)
    with open("data/datasets/data1.tar.gz", "wb") as file:
        file.write(content)
    server.requests.clear()
    assert len(find_songs("Ballroom")) == 5
    assert not server.requests, "an archive that was put there by hand is used"


def test_no_server_at_all(ballroom, monkeypatch):
    ballroom(archive())
    url = "http://127.0.0.1:9/data1.tar.gz"
    unreachable = public_sets.SETS["Ballroom"]._replace(url=url)
    monkeypatch.setitem(public_sets.SETS, "Ballroom", unreachable)
    message = f"cannot download data set 'Ballroom' from {url}: Failed to establish .*refused"
    with pytest.raises(UserError, match=message):
        find_songs("Ballroom")


@pytest.mark.parametrize("content, message", [
    (archive()[:40000], "cannot unpack"),
    (b"no archive" * 99, "cannot unpack"),
    (archive(["allBallroomFiles"]), "cannot unpack"),       # no folder of a tag
    (archive(folder="Other"), "cannot unpack"),
    (archive([*INSIDE, "../../../evil.wav"]), "cannot unpack.*outside"),
    (archive(links=[("Waltz/out", "../../../../evil")]), "cannot unpack.*outside"),
])
def test_a_bad_archive_leaves_no_data_set(ballroom, content, message):
    ballroom(content)
    with pytest.raises(UserError, match=message):
        find_songs("Ballroom")
    assert left() == ["data1.tar.gz"]
    assert not os.path.exists("data/evil.wav") and not os.path.exists("evil.wav")
