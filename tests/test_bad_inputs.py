"""A catalogue of ill-formed input, each with the exact line that the user sees."""

import contextlib
import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from makeSounds import encoded, noise, wav

import buildArchitecture
import dl
import loadDatasets
import predict
import run
from mirdl import settings
from mirdl.errors import UserError, exit_on_user_error
from mirdl.networks import architectures
from mirdl.results import files, models
from mirdl.results.curves import EpochFigures
from mirdl.results.model_info import ModelInfo

SOUND = noise()
FINITE = "holds samples that are not finite numbers"
INVALID = "cannot be decoded: it is not a sound file, or it is damaged; replace it"


def spoilt(value):
    """Return noise with one sample of `value`."""
    samples = SOUND.copy()
    samples[5000] = value
    return samples


SHORT = "give no chunk of 50 (asPublished needs 70)"
NO_SOUND = "cannot be decoded: it ends before any sound; replace it"
ODD_RATE = "cannot be decoded: its sample rate is below 173 Hz or above 11 MHz; resample it"
IRREGULAR = "cannot be opened: it is not a regular file"

# file -> its bytes, or what makes the file at a path; why it is left out, None where it is used
SOUNDS = {
    "empty.wav": (b"", "is empty"),
    "header only.wav": (wav(SOUND[:0]), "holds no samples"),
    "half a header.wav": (wav(SOUND)[:20], INVALID),
    "half.wav": (wav(SOUND)[:88200], f"is too short: 45 frames {SHORT}"),
    "one sample.wav": (wav(SOUND[:1]), f"is too short: 2 frames {SHORT}"),
    "header promises 4 GB.wav": (wav(SOUND, promised=2**32 - 1), None),
    "silent.wav": (wav(0 * SOUND), None),
    "constant.wav": (wav(0 * SOUND + 0.5), None),
    "clipped.wav": (wav(np.sign(SOUND)), None),
    "not a number.wav": (wav(spoilt(np.nan), 32, "float"), FINITE),
    "infinite.wav": (wav(spoilt(np.inf), 32, "float"), FINITE),
    "too loud.wav": (wav(spoilt(1e38), 32, "float"), FINITE),
    "8 bit.wav": (wav(SOUND, 8), None),
    "24 bit.wav": (wav(SOUND, 24), None),
    "32 bit.wav": (wav(SOUND, 32), None),
    "float.wav": (wav(SOUND, 32, "float"), None),
    "double.wav": (wav(SOUND, 64, "float"), None),
    "stereo.wav": (wav(SOUND, channels=2), None),
    "5.1.wav": (wav(SOUND, channels=6), None),
    # Essentia's loader crashes when it is taken down after this one
    "9 channels.wav": (wav(SOUND, channels=9), None),
    "65535 channels.wav": (
        wav(SOUND[:100], channels=65535),
        "cannot be decoded: its codec is not known; convert it to wav or flac"),
    "0 Hz.wav": (wav(SOUND, rate=0), INVALID),
    # a file of 2 kB for which Essentia's resampler wants 7 GB
    "1 Hz.wav": (wav(SOUND[:1000], rate=1), ODD_RATE),
    "100 Hz.wav": (wav(SOUND[:1000], rate=100), ODD_RATE),
    "20 MHz.wav": (wav(SOUND, rate=20000000), ODD_RATE),
    "2 GHz.wav": (wav(SOUND, rate=2**31), INVALID),
    "8 kHz.wav": (wav(noise(rate=8000), rate=8000), None),
    "22 kHz.wav": (wav(noise(rate=22050), rate=22050), None),
    "96 kHz.wav": (wav(noise(rate=96000), rate=96000), None),
    "192 kHz.wav": (wav(noise(rate=192000), rate=192000), None),
    "a wav.mp3": (wav(SOUND), None),
    "a wav.flac": (wav(SOUND), None),
    "text.wav": (b"not a sound at all", INVALID),
    "zeros.mp3": (bytes(50000), NO_SOUND),
    "playlist.mp3": (
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", NO_SOUND),
    "Ünïcödé ♫.wav": (wav(SOUND), None),
    "two\nlines.wav": (b"", "is empty"),
    "100%s {0}.wav": (wav(SOUND), None),
    "pipe.wav": (os.mkfifo, IRREGULAR),
    "device.wav": (lambda path: os.symlink("/dev/zero", path), IRREGULAR),
    # a size of 0, and yet there is something to read
    "of the system.wav": (lambda path: os.symlink("/proc/version", path), "is empty"),
    "link to itself.wav": (
        lambda path: os.symlink("link to itself.wav", path),
        "cannot be opened: Too many levels of symbolic links"),
    "link to nothing.wav": (
        lambda path: os.symlink("/nothing", path), "cannot be opened: No such file or directory"),
    os.fsdecode(b"Latin-1 \xe9.wav"): (
        wav(SOUND), "cannot be opened: its name is not UTF-8; rename it"),
}
ENCODED = ("mp3", "flac", "ogg", "aiff")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Load a data set of all these files and two good songs; the list of those left out."""
    folder = tmp_path_factory.mktemp("zoo")
    songs = folder / "data/datasets/Zoo"
    for tag in ("bad", "good"):
        (songs / tag).mkdir(parents=True)
    for name in ("1", "2"):
        (songs / "good" / f"{name}.wav").write_bytes(wav(SOUND * float(name)))
    for name, (content, _) in SOUNDS.items():
        path = songs / "bad" / name
        content(path) if callable(content) else path.write_bytes(content)
    for coding in ENCODED:
        content = encoded(folder, coding)
        (songs / "bad" / f"a {coding}.wav").write_bytes(content)
        (songs / "bad" / f"half.{coding}").write_bytes(content[:len(content) // 2])
    _, songs = load(folder, "DS.dataset=Zoo", "DS.xInput=50", "chunkHop=20", "folds=2")
    return (folder / "data/preloaded/Zoo.left_out.txt").read_text(), songs


def load(folder, *overrides):
    """Return what load_dataset prints in `folder`, and the spectrograms by name."""
    parameters = settings.check(settings.override(settings.published(), overrides))
    with pytest.MonkeyPatch.context() as patch, \
            contextlib.redirect_stdout(io.StringIO()) as out:
        patch.chdir(folder)
        dataset = loadDatasets.load_dataset(parameters)
    return out.getvalue(), dict(zip(dataset.names, dataset.spectrograms, strict=True))


@pytest.mark.parametrize("name", SOUNDS, ids=ascii)
def test_sound(zoo, name):
    out, songs = zoo
    reason = SOUNDS[name][1]
    assert (f"bad/{name}" in songs) == (reason is None)
    line = f"{f'bad/{name}'!r}"
    assert f"{line} {reason}\n" in out if reason else line not in out
    assert {"good/1.wav", "good/2.wav"} <= set(songs), "the other songs are unharmed"


@pytest.mark.parametrize("name, tolerance", [
    ("8 bit.wav", 0.1), ("24 bit.wav", 1e-3), ("32 bit.wav", 1e-3), ("float.wav", 1e-3),
    ("double.wav", 1e-3), ("stereo.wav", 1e-6), ("a wav.mp3", 0), ("header promises 4 GB.wav", 0)])
def test_however_it_is_stored_the_sound_is_the_same(zoo, name, tolerance):
    songs = zoo[1]
    np.testing.assert_allclose(songs[f"bad/{name}"], songs["good/1.wav"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("coding", ENCODED)
def test_a_wrong_extension_does_not_matter_and_half_a_file_is_half_a_song(zoo, coding):
    out, songs = zoo
    assert songs[f"bad/a {coding}.wav"].shape[1] in (87, 88, 89, 90)
    assert f"'bad/half.{coding}' is too short: " in out


def exact(error):
    """Return the line that a user sees."""
    def fail():
        raise error
    with pytest.raises(SystemExit) as end:
        exit_on_user_error(fail)
    return end.value.code


HELP = "('python run.py --help' lists them all)"
WHOLE = "is not allowed: expected a whole number of 1 or more"
ABOVE_0 = "is not allowed: expected a number above 0"
FOLDER = "is not allowed: expected the name of a folder in data/datasets"


@pytest.mark.parametrize("argument, line", [
    ("folds", "argument 'folds' is not of the form key=value, for instance DL.type=pNetOne; "
              "'python run.py --help' lists the keys"),
    ("=", f"unknown parameter '' {HELP}"),
    ("DL.typ=pNetOne", f"unknown parameter 'DL.typ'; did you mean DL.type? {HELP}"),
    ("DS.yInput=40", "DS.yInput is not set by itself: it follows from DS.melBands (or, for "
                     "magnitudeSTFT, DS.frameSize) and DS.specTransform; set that instead"),
    ("folds=0", f"folds=0 {WHOLE}"),
    ("folds=-3", f"folds=-3 {WHOLE}"),
    ("folds=1e3", f"folds=1e3 {WHOLE}"),
    ("DL.num_epochs=99999999999999999999", f"DL.num_epochs=99999999999999999999 {WHOLE}"),
    ("DL.batchSize=-50", f"DL.batchSize=-50 {WHOLE}"),
    ("DL.lr=nan", f"DL.lr=nan {ABOVE_0}"),
    ("DL.lr=inf", f"DL.lr=inf {ABOVE_0}"),
    ("DL.lr=1e999", f"DL.lr=inf {ABOVE_0}"),
    ("DL.lr=-0.01", f"DL.lr=-0.01 {ABOVE_0}"),
    ("DL.lr=0,01", f"DL.lr=0,01 {ABOVE_0}"),
    ("DL.momentum=1",
     "DL.momentum=1.0 is not allowed: expected a number from 0 to below 1"),
    ("DL.cost=entropy",
     "DL.cost=entropy is not allowed: expected one of 'crossentropy', 'squared_error'"),
    ("DS.frameSize=1025",
     "DS.frameSize=1025 is not allowed: expected an even whole number from 2 to 1048576"),
    ("DS.hopSize=0", f"DS.hopSize=0 {WHOLE}"),
    ("DS.melBands=-40", "DS.melBands=-40 is not allowed: expected a whole number of 2 or more"),
    ("DS.xInput=two\nlines", f"DS.xInput=two\\nlines {WHOLE}"),
    ("DS.dataset=", f"DS.dataset= {FOLDER}"),
    ("DS.dataset=../../etc", f"DS.dataset=../../etc {FOLDER}"),
    ("DS.dataset=/etc", f"DS.dataset=/etc {FOLDER}"),
    ("mode=../../model", "mode=../../model is not allowed: expected 'train' or the name of a "
                         "model in data/results or data/preloaded/models"),
    ("use_random_seed=maybe", "use_random_seed=maybe is not allowed: expected True or False"),
])
def test_setting(workplace, argument, line):
    with pytest.raises(UserError) as error:
        run.main([argument])
    assert exact(error.value) == f"error: {line}"
    assert not os.listdir("data/results") and not os.listdir("data/preloaded/models")


@pytest.fixture
def folder(workplace):
    """Make the data set Small, a and b with three songs each; return its folder."""
    for place, tag in enumerate("aabbab"):
        songs = workplace / "data/datasets/Small" / tag
        songs.mkdir(parents=True, exist_ok=True)
        (songs / f"{place}.wav").write_bytes(wav(SOUND * (1 - place / 10)))
    return workplace / "data/datasets/Small"


def table(name, header, *rows):
    """Return what writes a CSV file beside data/ with a row for each song of Small, and others."""
    songs = {"a/0.wav": 1, "a/1.wav": 2, "b/2.wav": 1, "b/3.wav": 2, "a/4.wav": 1, "b/5.wav": 2}

    def write(folder):
        lines = [f"{song},{fold}" for song, fold in songs.items()]
        with open(name, "w") as file:
            file.write("\n".join([header, *lines, *rows]))
    return write


FIT = ("DS.dataset=Small", "DL.type=oNetOne", "DS.xInput=50", "chunkHop=20", "folds=2",
       "DL.batchSize=1", "DL.num_epochs=1")


def spoilTag(folder):
    for path in (folder / "a").iterdir():
        path.write_text("no sound")


def linkToItself(folder):
    shutil.rmtree(folder)
    os.symlink("Small", folder)


def linkATagToNothing(folder):
    os.symlink("/nothing", folder / "c")


def removeTags(*tags):
    return lambda folder: [shutil.rmtree(folder / tag) for tag in tags]


NO_SET = ("there is no data set '{}': expected the folder {{datasets}}/{} with one folder of songs "
          "per class; data sets there: {}").format
CANNOT_BUILD = "DL.type={} cannot be built for chunks of {} bands and DS.xInput=50 frames: ".format
BATCHES = ("fold 1 has 2 training chunks of 2 songs, less than one batch of DL.batchSize=50; set "
           "DL.batchSize=1 or asPublished=False")
NONE_LEFT = ("data set 'Small' has no usable song left with the tag 'a'; the reasons are listed "
             "above")
TOO_SHORT = ("all 6 songs of data set 'Small' are too short (88 frames, 2.0 s): DS.{} and "
             "asPublished=True needs {} s; DS.xInput={} or asPublished=False DS.xInput=88 or "
             "DS.short=repeat would use all of them").format
TAGS = ("data set 'Small' has {}; a classifier needs two folders or more, or DS.labels with "
        "two tags or more").format


def tags(*rows, encoding="utf-8", header="song,tag"):
    """Return what writes the table l.csv of tags of Small."""
    return lambda folder: Path("l.csv").write_text("\n".join([header, *rows]), encoding)


WRONG_TAGS = ("DS.labels=l.csv gives the song '{}.wav' the tags '{}'; expected tags with | between "
              "them, none empty and none twice, or no tag at all")
SEVERAL = ["a/0.wav,x|y", "a/1.wav,x", "b/2.wav,y", "b/3.wav,", "a/4.wav,x|y", "b/5.wav,y"]


@pytest.mark.parametrize("spoil, line", [
    (tags("a/0.wav,x", "a/1.wav,"),
     "DS.labels=l.csv gives no tag to the song 'a/1.wav'; give it one (only where some songs have "
     "several tags, others may have none)"),
    (tags(*SEVERAL[1:], "a/0.wav,x|"),
     WRONG_TAGS.format("a/0", "x|")),
    (tags(*SEVERAL, "b/3.wav,x"),
     WRONG_TAGS.format("b/3", "|x")),
    (tags(*SEVERAL[1:], "a/0.wav,x|y|x"),
     WRONG_TAGS.format("a/0", "x|y|x")),
    (tags("a/0.wav,x", "a/0.wav,y", "a/0.wav,x"),
     WRONG_TAGS.format("a/0", "x|y|x")),
    (tags(*SEVERAL, "a/1.wav,x"),
     "DS.labels=l.csv names the song 'a/1.wav' twice (line 8), with the tag 'x' and with 'x'; "
     "leave one of these lines"),
    (tags(*SEVERAL, "a/1,y"),
     "DS.labels=l.csv names the song 'a/1.wav' twice, as 'a/1.wav' and 'a/1'; leave one of these "
     "lines"),
    (tags(*SEVERAL, "c/1.wav,x"),
     "DS.labels=l.csv names 'c/1.wav', but no song of data set 'Small', or more than one, has that "
     "name; give paths below its folder"),
    (tags(*SEVERAL[1:], "a/0.wav,x,y"),
     "DS.labels=l.csv has more cells than columns in line 7, ['y']; put what holds the separator "
     "into quotes, and write 12.5 with a point"),
    (tags(*SEVERAL, header="song,tags"),
     "DS.labels=l.csv has the columns ['song', 'tags']; expected song and tag, each once"),
    (tags(*SEVERAL, encoding="utf-16"),
     "DS.labels=l.csv cannot be read: it is not UTF-8; save it as such; give a CSV file with the "
     "columns song and tag"),
    (tags(*SEVERAL),
     "data set 'Small' has 0 tags that DS.leastSongs=5 or more songs have; two are needed: lower "
     "DS.leastSongs, or label more songs"),
])
def test_table_of_several_tags(folder, parameters, spoil, line):
    spoil(folder)
    with pytest.raises(UserError) as error:
        dl.main(parameters(*FIT, "DS.labels=l.csv"))
    assert exact(error.value) == f"error: {line}"


@pytest.mark.parametrize("spoil, overrides, line", [
    (None, ["DS.dataset=Smal"], NO_SET("Smal", "Smal", "Small")),
    (None, ["DL.type=oNetone"],
     "DL.type=oNetone is not a network of buildArchitecture.py; did you mean oNetOne? There are: "
     "{networks}"),
    (None, ["DL.type=pNetOne"],
     CANNOT_BUILD("pNetOne", 40) + "A filter of 216 frames does not fit into an input of 50 "
     "frames: give longer inputs or shorter filters; set DS.xInput=216 (for songs of 5.5 s "
     "or more) or choose a network that fits: blackBox, frequency, musicnn, oNetOne, oNetTwo, "
     "timbreRhythm, vgg"),
    (None, ["DS.melBands=2"],
     CANNOT_BUILD("oNetOne", 2) + "pool_bands=4; 1 to 2, the bands of the input, was expected; "
     "set DS.melBands=40"),
    (None, ["DS.melBands=2000"],
     "DS.melBands=2000 is more than a spectrum of DS.frameSize=2048 samples can be divided into; "
     "the published values are DS.melBands=40 DS.frameSize=2048"),
    (None, ["DS.melBands=500"],
     "DS.melBands=500 is more than the 1025 bins of DS.frameSize=2048 can give; set "
     "DS.melBands=228"),
    (None, ["trainSplit=0.7", "testSplit=0.4"],
     "trainSplit=0.7 and testSplit=0.4 add up to more than 1; lower one, as validation gets "
     "the rest"),
    (None, ["folds=500"],
     "folds=500 is more than the 6 usable songs can be divided into (training, validation and "
     "test each need one); set folds=6"),
    (None, ["DL.batchSize=50"], BATCHES),
    (None, ["DL.batchSize=1", "stratified=True", "folds=4"],
     "folds=4 is more than stratified=True can divide: no tag has more than 3 songs; set folds=3 "
     "or stratified=False"),
    (None, ["sweep=DL.batchSize=1,50"], BATCHES),
    (None, ["DS.xInput=1000"],
     TOO_SHORT("xInput=1000 with chunkHop=20", "1020 frames, 23.7", "68 chunkHop=20")),
    (None, ["DS.xInput=2147483647", "chunkHop=2147483647"],
     TOO_SHORT("xInput=2147483647 with chunkHop=2147483647", "4294967294 frames, 99728945.8",
               "44 chunkHop=44")),
    (None, ["mode=Small_oNetOne_1"],
     "there is no run 'Small_oNetOne_1' in data/results; the latest there: none"),
    (shutil.rmtree, [], NO_SET("Small", "Small", "none")),
    (linkToItself, [], NO_SET("Small", "Small", "none")),
    (removeTags("a", "b"), [], TAGS("0 tags")),
    (removeTags("a"), [], TAGS("1 tag")),
    (lambda folder: (folder / "c").mkdir(), [],
     "the tag 'c' of data set 'Small' has no audio file; put songs (.wav .mp3 .flac .ogg ...) into "
     "{datasets}/Small/c or remove it"),
    (linkATagToNothing, [], "'{datasets}/Small/c' is a broken link; fix or remove it"),
    (spoilTag, [], NONE_LEFT),
    (None, ["DS.split=s.csv"],
     "DS.split=s.csv cannot be read: No such file or directory; give a CSV file "
     "with the columns song and fold or song and part"),
    (None, ["DS.split=filtered"],
     "DS.split=filtered is neither a .csv file nor a split of data set 'Small'; splits there: "
     "none"),
    (table("s.csv", "song|fold"), ["DS.split=s.csv"],
     "DS.split=s.csv has the columns ['song|fold']; expected song and fold or song and part, each "
     "once"),
    (table("s.csv", "song,fold,Fold"), ["DS.split=s.csv"],
     "DS.split=s.csv has the columns ['song', 'fold', 'fold']; expected song and fold or song and "
     "part, each once"),
    (table("s.csv", "song,fold", "a/6.wav,1"), ["DS.split=s.csv"],
     "DS.split=s.csv names 'a/6.wav', but no song of data set 'Small', or more than one, has that "
     "name; give paths below its folder"),
    (table("s.csv", "song,fold", "a/0.wav,1"), ["DS.split=s.csv"],
     "DS.split=s.csv names the song 'a/0.wav' twice (line 8), with the fold '1' and with '1'; "
     "leave one of these lines"),
    (table("s.csv", "song,fold", "a/0.wav,2"), ["DS.split=s.csv"],
     "DS.split=s.csv names the song 'a/0.wav' twice (line 8), with the fold '1' and with '2'; "
     "leave one of these lines"),
    (table("s.csv", "song,fold", "a/0,1"), ["DS.split=s.csv"],
     "DS.split=s.csv names the song 'a/0.wav' twice, as 'a/0.wav' and 'a/0'; leave one of these "
     "lines"),
    (table("s.csv", "song,part"), ["DS.split=s.csv"],
     "DS.split=s.csv gives the song 'a/0.wav' the part '1'; expected one of train, validation, "
     "test, unused"),
    (table("s.csv", "song,fold"), ["DS.split=s.csv", "folds=3"],
     "folds=3 contradicts DS.split=s.csv, which has 2 folds; set folds=2"),
    (lambda folder: Path("g.csv").write_text("song,group", "utf-16"), ["DS.groups=g.csv"],
     "DS.groups=g.csv cannot be read: it is not UTF-8; save it as such; give a CSV file with the "
     "columns song and group, or a regular expression"),
    (table("g.csv", "song,group"), ["DS.groups=g.csv"],
     "folds=2, of the songs not tested, is more than 1 group of songs can be divided into "
     "(training, validation and test each need one); add songs of other groups"),
    (table("l.csv", "song,label"), ["DS.labels=l.csv"],
     "DS.labels=l.csv has the columns ['song', 'label']; expected song and tag, each once"),
    (table("l.csv", "song,tag", "c/1.wav,1"), ["DS.labels=l.csv"],
     "DS.labels=l.csv names 'c/1.wav', but no song of data set 'Small', or more than one, has that "
     "name; give paths below its folder"),
])
def test_data_set(folder, parameters, spoil, overrides, line):
    if spoil:
        spoil(folder)
    with pytest.raises(UserError) as error:
        dl.main(parameters(*FIT, *overrides))
    expected = line.format(datasets=os.path.realpath("data/datasets"),
                           networks=", ".join(sorted(architectures.networks(buildArchitecture))))
    assert exact(error.value) == f"error: {expected}"
    assert not os.listdir("data/results"), "nothing half-written"


class Hostile:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


def npz(**parts):
    """Return the bytes of an archive of these .npy files: arrays, or bytes as they are."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, part in parts.items():
            stream = io.BytesIO()
            if isinstance(part, np.ndarray):
                np.save(stream, part, allow_pickle=True)
            else:
                stream.write(part)
            file.writestr(name + ".npy", stream.getvalue())
    return archive.getvalue()


def header(shape):
    """Return an .npy file that promises an array of this shape, and holds four bytes of it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(4)


def bomb():
    """Return the bytes of an archive that unfolds to 200 times its size."""
    archive = io.BytesIO()
    np.savez_compressed(archive, np.zeros(10**6, np.float32))
    return archive.getvalue()


MADE = {"DL": {"type": "oNetOne"}, "DS": {"xInput": 50}}
ABOUT = ModelInfo(MADE, ["a", "c"], 11, 0, "", {}, [0.0, 1.0], [], [], []).to_json()


def model(description=ABOUT, values=(0, 0, 0)):
    """Return the bytes of a model file with one array of these values."""
    archive = io.BytesIO()
    array = np.array(values, np.float32) if isinstance(values, tuple) else values
    np.savez(archive, array, about=np.array(json.dumps(description)))
    return archive.getvalue()


NO_ZIP = "File is not a zip file"
NOT_FINITE = "it holds values that are not finite numbers"
NOT_SAID = "it does not say what it is made for"


@pytest.mark.parametrize("content, line", [
    (b"", NO_ZIP),
    (b"hello", NO_ZIP),
    (model()[:-30], NO_ZIP),
    (header((1,)), NO_ZIP),
    (pickle.dumps(Hostile()), NO_ZIP),
    (npz(arr_0=b"hello there"), "the magic string is not correct"),
    (npz(arr_0=np.array([Hostile()], dtype=object)),
     "Object arrays cannot be loaded when allow_pickle=False"),
    (npz(arr_0=header((250000000,))), "EOF: reading array data, expected 262144 bytes got 4"),
    (npz(arr_0=b"\x93NUMPY\x02\0\xff\xff\xff\xff{}"),
     "EOF: reading array header, expected 4294967295 bytes got 2"),
    (npz(arr_1=np.zeros(3)), "'arr_0'"),
    (npz(**{"../arr_0": np.zeros(3)}), "'arr_0'"),
    (bomb(), "its parts are larger than the file (or compressed, which numpy.savez does not)"),
    (model(values=(1, np.nan)), NOT_FINITE),
    (model(values=np.array(["a"])), NOT_FINITE),
    (model([1]), NOT_SAID),
    (model({**ABOUT, "classes": "ac"}), NOT_SAID),
    (model({**ABOUT, "moments": [0, float("nan")]}), NOT_SAID),
])
def test_model_file(workplace, content, line):
    with open("data/results/m.npz", "wb") as file:
        file.write(content)
    with pytest.raises(UserError) as error:
        models.load("m")
    told = exact(error.value)
    assert told.startswith("error: 'data/results/m.npz' is not a model file (an .npz of the arrays "
                           "arr_0, arr_1 ...): ")
    assert line in told and not os.path.exists("pwned")


@pytest.mark.parametrize("name", ["../m", "/etc/m", "data/results/m"])
def test_names_that_climb_are_refused(workplace, name):
    with pytest.raises(UserError) as error:
        models.load(name)
    assert exact(error.value) == (f"error: '{name}' is not the name of a model: give it without "
                                  "folders, as in data/results")


@pytest.mark.parametrize("description, line", [
    (ABOUT, "has the classes a, c, data set 'Small' has a, b; they must be equal"),
    ({}, "is not oNetOne for 2 classes: it has 1 arrays and 3 numbers, expected 18 arrays and 1782 "
         "numbers; set DL.type and DS as in its .param file"),
    ({**ABOUT, "parameters": {**MADE, "DS": {**MADE["DS"], "hopSize": 512, "inputNorm": "None"}}},
     "was made with DS.hopSize=512 DS.inputNorm=None, here it is DS.hopSize=1024 "
     "DS.inputNorm=log0m1v; add the model's settings to the command line, or set "
     "them in run.py"),
])
def test_model_for_something_else(folder, parameters, description, line):
    with open("data/results/m.npz", "wb") as file:
        file.write(model(description))
    with pytest.raises(UserError) as error:
        dl.main(parameters(*FIT, "mode=m"))
    assert exact(error.value) == f"error: the model 'data/results/m.npz' {line}"


@pytest.mark.parametrize("arguments, line", [
    (["--format", "sonic", "--chunks"],
     "--format sonic writes labels of segments: leave out --chunks"),
    (["--format", "csv", "--out", "labels"],
     "--out labels is for --format audacity or sonic, not for csv"),
    (["--out", "labels"], "--out labels is for --format audacity or sonic, not for table"),
])
def test_labels_that_are_asked_for_in_vain(arguments, line):
    with pytest.raises(UserError) as error:
        predict.parse(["m", "song.wav", *arguments])
    assert exact(error.value) == f"error: {line}"


HEADER = ",".join(EpochFigures.columns).encode()
TABLE = "'data/results/r.training' is damaged: expected 5 numbers in each line; "
NO_TABLE = ("'data/results/r.training' is not a table of training curves: expected the header "
            "epoch,trainingLoss,trainingAccuracy,validationLoss,validationAccuracy")


@pytest.mark.parametrize("read, ending, content, line", [
    (files.read_training, ".training", b"", NO_TABLE),
    (files.read_training, ".training", b"a,b\n1,2\n", NO_TABLE),
    (files.read_training, ".training", HEADER + b"\n0,1,2,3\n",
     TABLE + "cannot reshape array of size 4 into shape (1,5)"),
    (files.read_training, ".training", HEADER + b"\n0,1,2,3,x\n",
     TABLE + "could not convert string to float: 'x'"),
    (files.runs, ".training", None,
     "there is no run 'r' in data/results; the latest there: none"),
])
def test_result_file(workplace, read, ending, content, line):
    if content is not None:
        with open("data/results/r" + ending, "wb") as file:
            file.write(content)
    with pytest.raises(UserError) as error:
        read("r")
    assert exact(error.value).startswith("error: " + line) and not os.path.exists("pwned")


def test_hostile_spectrograms_are_computed_anew(folder, parameters, capsys):
    path = "data/preloaded/Small_2048_1024_mel_40_blackmanharris62.pickle"
    with open(path, "wb") as file:
        pickle.dump(Hostile(), file)
    loadDatasets.load_dataset(parameters(*FIT))
    assert (f"  {path} cannot be used and is computed anew: it refers to posix.mkdir, which is "
            "neither a NumPy array nor a plain value\n") in capsys.readouterr().out
    assert not os.path.exists("pwned")
