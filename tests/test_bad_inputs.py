"""A catalogue of ill-formed input, each with the exact line that the user sees."""

import contextlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import pytest
from conftest import ROOT, published
from makeSounds import encoded, noise, wav

import buildArchitecture
import dl
import loadDatasets
import run
from mirdl import settings
from mirdl.errors import UserError, exit_on_user_error
from mirdl.results import files
from mirdl.spectrograms import cache, features
from mirdl.training import architectures

SOUND = noise()
FINITE = "holds samples that are not finite numbers"
INVALID = "cannot be decoded: Invalid data found when processing input"


def spoilt(value):
    """Noise with one sample of `value`."""
    samples = SOUND.copy()
    samples[5000] = value
    return samples


# file -> (its bytes, or what makes the file at a path; why it is left out, or None where it is used)
SOUNDS = {
    "empty.wav": (b"", "is empty"),
    "header only.wav": (wav(SOUND[:0]), "cannot be decoded: it ends before any sound"),
    "half a header.wav": (wav(SOUND)[:20], INVALID),
    "half.wav": (wav(SOUND)[:88200], "is too short: 45 frames give no chunk of 50 (asPublished wants 70)"),
    "one sample.wav": (wav(SOUND[:1]), "is too short: 2 frames give no chunk of 50 (asPublished wants 70)"),
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
    "5.1.wav": (wav(SOUND, channels=6), "cannot be decoded: it has more than 2 channels; mix it down to stereo"),
    # Essentia's loader crashes when it is taken down after this one
    "9 channels.wav": (wav(SOUND, channels=9), "cannot be decoded: it has channels that Essentia does not know; mix it down to stereo"),
    "65535 channels.wav": (wav(SOUND[:100], channels=65535), "cannot be decoded: its coding is not known to Essentia; convert it to wav"),
    "0 Hz.wav": (wav(SOUND, rate=0), INVALID),
    # a file of 2 kB for which the resampler wants 7 GB
    "1 Hz.wav": (wav(SOUND[:1000], rate=1), "cannot be decoded: takes more than 2 GB of memory"),
    "100 Hz.wav": (wav(SOUND[:1000], rate=100), "cannot be decoded: its sample rate is below 173 Hz"),
    "2 GHz.wav": (wav(SOUND, rate=2**31), INVALID),
    "8 kHz.wav": (wav(noise(rate=8000), rate=8000), None),
    "22 kHz.wav": (wav(noise(rate=22050), rate=22050), None),
    "96 kHz.wav": (wav(noise(rate=96000), rate=96000), None),
    "192 kHz.wav": (wav(noise(rate=192000), rate=192000), None),
    "a wav.mp3": (wav(SOUND), None),
    "a wav.flac": (wav(SOUND), None),
    "text.wav": (b"not a sound at all", INVALID),
    "zeros.mp3": (bytes(50000), "cannot be decoded: it ends before any sound"),
    "playlist.mp3": (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "cannot be decoded: it ends before any sound"),
    "Ünïcödé ♫.wav": (wav(SOUND), None),
    "two\nlines.wav": (b"", "is empty"),
    "100%s {0}.wav": (wav(SOUND), None),
    "pipe.wav": (os.mkfifo, "cannot be opened: it is no regular file"),
    "device.wav": (lambda path: os.symlink("/dev/zero", path), "cannot be opened: it is no regular file"),
    "link to itself.wav": (lambda path: os.symlink("link to itself.wav", path), "cannot be opened: Too many levels of symbolic links"),
    "link to nothing.wav": (lambda path: os.symlink("/nothing", path), "cannot be opened: No such file or directory"),
    os.fsdecode(b"Latin-1 \xe9.wav"): (wav(SOUND), "cannot be opened: its name is not UTF-8; rename it"),
}
ENCODED = ("mp3", "flac", "ogg", "aiff")


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """What was printed of a data set of all these files and two good songs, and the spectrograms that it has."""
    folder = tmp_path_factory.mktemp("zoo")
    songs = folder / "data/datasets/Zoo"
    for tag in ("bad", "good"):
        (songs / tag).mkdir(parents=True)
    for name in ("1", "2"):
        (songs / "good" / f"{name}.wav").write_bytes(wav(SOUND * float(name)))
    for name, (content, _) in SOUNDS.items():
        content(songs / "bad" / name) if callable(content) else (songs / "bad" / name).write_bytes(content)
    for format in ENCODED:
        content = encoded(folder, format)
        (songs / "bad" / f"a {format}.wav").write_bytes(content)
        (songs / "bad" / f"half.{format}").write_bytes(content[:len(content) // 2])
    return load(folder, "DS.dataset=Zoo", "DS.xInput=50", "chunkHop=20", "folds=2")


def load(folder, *overrides):
    """What load_dataset prints in `folder`, and the spectrograms by name."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.chdir(folder)
        dataset = loadDatasets.load_dataset(settings.check(settings.override(published, overrides)))
    return out.getvalue(), dict(zip(dataset.names, dataset.spectrograms))


@pytest.mark.parametrize("name", SOUNDS, ids=ascii)
def test_sound(zoo, name):
    out, songs = zoo
    reason = SOUNDS[name][1]
    assert (f"bad/{name}" in songs) == (reason is None)
    assert f"    {f'bad/{name}'!r} {reason}\n" in out if reason else f"    {f'bad/{name}'!r}" not in out
    assert {"good/1.wav", "good/2.wav"} <= set(songs), "the other songs are unharmed"


@pytest.mark.parametrize("name, tolerance", [("8 bit.wav", 0.1), ("24 bit.wav", 1e-3), ("32 bit.wav", 1e-3), ("float.wav", 1e-3),
                                             ("double.wav", 1e-3), ("stereo.wav", 1e-6), ("a wav.mp3", 0), ("header promises 4 GB.wav", 0)])
def test_however_it_is_stored_the_sound_is_the_same(zoo, name, tolerance):
    np.testing.assert_allclose(zoo[1][f"bad/{name}"], zoo[1]["good/1.wav"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("format", ENCODED)
def test_a_wrong_extension_is_no_matter_and_half_a_file_is_half_a_song(zoo, format):
    out, songs = zoo
    assert songs[f"bad/a {format}.wav"].shape[1] in (87, 88, 89, 90)
    assert f"'bad/half.{format}' is too short: " in out


def exact(error):
    """The line that a user sees."""
    def fail():
        raise error
    with pytest.raises(SystemExit) as end:
        exit_on_user_error(fail)
    return end.value.code


@pytest.mark.parametrize("argument, line", [
    ("folds", "argument 'folds' is not of the form key=value, for instance DL.type=pNetOne; 'python run.py --help' lists the keys"),
    ("=", "unknown parameter '' ('python run.py --help' lists them all)"),
    ("DL.typ=pNetOne", "unknown parameter 'DL.typ'; did you mean DL.type? ('python run.py --help' lists them all)"),
    ("DS.yInput=40", "DS.yInput is not set by itself: it follows from DS.melBands (or, for magnitudeSTFT, DS.frameSize); set that instead"),
    ("folds=0", "folds=0 is not allowed: expected a whole number of 1 or more"),
    ("folds=-3", "folds=-3 is not allowed: expected a whole number of 1 or more"),
    ("folds=1e3", "folds=1e3 is not allowed: expected a whole number of 1 or more"),
    ("DL.num_epochs=99999999999999999999", "DL.num_epochs=99999999999999999999 is not allowed: expected a whole number of 1 or more"),
    ("DL.batchSize=-50", "DL.batchSize=-50 is not allowed: expected a whole number of 1 or more"),
    ("DL.lr=nan", "DL.lr=nan is not allowed: expected a number above 0"),
    ("DL.lr=inf", "DL.lr=inf is not allowed: expected a number above 0"),
    ("DL.lr=1e999", "DL.lr=inf is not allowed: expected a number above 0"),
    ("DL.lr=-0.01", "DL.lr=-0.01 is not allowed: expected a number above 0"),
    ("DL.lr=0,01", "DL.lr=0,01 is not allowed: expected a number above 0"),
    ("DL.momentum=1", "DL.momentum=1.0 is not allowed: expected a number from 0 to below 1"),
    ("DL.cost=entropy", "DL.cost=entropy is not allowed: expected one of 'crossentropy', 'squared_error'"),
    ("DS.frameSize=1025", "DS.frameSize=1025 is not allowed: expected an even whole number from 2 to 1048576"),
    ("DS.hopSize=0", "DS.hopSize=0 is not allowed: expected a whole number of 1 or more"),
    ("DS.melBands=-40", "DS.melBands=-40 is not allowed: expected a whole number of 2 or more"),
    ("DS.xInput=two\nlines", "DS.xInput=two\\nlines is not allowed: expected a whole number of 1 or more"),
    ("DS.dataset=", "DS.dataset= is not allowed: expected the name of a folder in data/datasets"),
    ("DS.dataset=../../etc", "DS.dataset=../../etc is not allowed: expected the name of a folder in data/datasets"),
    ("DS.dataset=/etc", "DS.dataset=/etc is not allowed: expected the name of a folder in data/datasets"),
    ("mode=../../model", "mode=../../model is not allowed: expected 'train' or the name of a model in data/results or data/preloaded/models"),
    ("use_random_seed=maybe", "use_random_seed=maybe is not allowed: expected True or False"),
])
def test_setting(workplace, argument, line):
    with pytest.raises(UserError) as error:
        run.main([argument])
    assert exact(error.value) == f"error: {line}"
    assert not os.listdir("data/results") and not os.listdir("data/preloaded/models")


@pytest.fixture
def small(workplace):
    """The data set Small: a and b with three songs each, and the settings that fit it."""
    for place, tag in enumerate("aab" "bab"):
        folder = workplace / "data/datasets/Small" / tag
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.wav").write_bytes(wav(SOUND * (1 - place / 10)))
    return workplace / "data/datasets/Small"


FIT = ("DS.dataset=Small", "DL.type=oNetOne", "DS.xInput=50", "chunkHop=20", "folds=2", "DL.batchSize=1", "DL.num_epochs=1")


def spoilTag(folder):
    for name in os.listdir(folder / "a"):
        (folder / "a" / name).write_text("no sound")


def linkLoop(folder):
    shutil.rmtree(folder)
    os.symlink("Small", folder)


@pytest.mark.parametrize("spoil, overrides, line", [
    (None, ["DS.dataset=Smal"], "there is no data set 'Smal': expected the folder {datasets}/Smal with one folder of songs per class; "
     "data sets there: Small"),
    (None, ["DL.type=oNetone"], "DL.type=oNetone is no network of buildArchitecture.py; did you mean oNetOne? There are: {networks}"),
    (None, ["DL.type=pNetOne"], "DL.type=pNetOne cannot be built for chunks of 40 bands and DS.xInput=50 frames: A filter of 51 frames does not "
     "fit into an input of 50 frames: give longer inputs or shorter filters."),
    (None, ["DS.melBands=2"], "DL.type=oNetOne cannot be built for chunks of 2 bands and DS.xInput=50 frames: pool_bands=4; 1 to 2, the bands of "
     "the input, was expected."),
    (None, ["DS.melBands=2000"], "DS.melBands=2000 is more than a spectrum of DS.frameSize=2048 samples can be divided into (1024 at the very most)"),
    (None, ["DS.melBands=500"], "DS.melBands=500 is more than the 1025 bins of DS.frameSize=2048 can give; lower melBands or raise frameSize"),
    (None, ["trainSplit=0.7", "testSplit=0.4"], "trainSplit=0.7 and testSplit=0.4 add up to more than 1; validation has the rest"),
    (None, ["folds=500"], "folds=500 is more than the 6 usable songs of data set 'Small' can be divided into (training, validation and test each "
     "need one)"),
    (None, ["DL.batchSize=50"], "fold 1 has 2 training chunks of 2 songs, less than one batch of DL.batchSize=50: lower DL.batchSize or chunkHop, "
     "take other folds or splits, or use asPublished=False"),
    (None, ["DL.batchSize=1", "stratified=True", "folds=4"], "folds=4 is more than stratified=True can divide: no tag has more than 3 songs; lower "
     "folds, or leave out stratified"),
    (None, ["sweep=DL.batchSize=1,50"], "fold 1 has 2 training chunks of 2 songs, less than one batch of DL.batchSize=50: lower DL.batchSize or "
     "chunkHop, take other folds or splits, or use asPublished=False"),
    (None, ["DS.xInput=1000"], "data set 'Small' has no usable song left with the tag 'a'; the reasons are listed above"),
    (None, ["DS.xInput=2147483647", "chunkHop=2147483647"], "data set 'Small' has no usable song left with the tag 'a'; the reasons are listed above"),
    (None, ["mode=Small_oNetOne_1"], "there is no model 'Small_oNetOne_1' in data/results or data/preloaded/models; models there: none"),
    (shutil.rmtree, [], "there is no data set 'Small': expected the folder {datasets}/Small with one folder of songs per class; data sets there: "
     "none"),
    (linkLoop, [], "there is no data set 'Small': expected the folder {datasets}/Small with one folder of songs per class; data sets there: none"),
    (lambda folder: [shutil.rmtree(folder / tag) for tag in "ab"], [], "data set 'Small' has 0 tag(s); a classifier needs two folders or more"),
    (lambda folder: shutil.rmtree(folder / "a"), [], "data set 'Small' has 1 tag(s); a classifier needs two folders or more"),
    (lambda folder: (folder / "c").mkdir(), [], "the tag 'c' of data set 'Small' has no audio file; put songs (.wav .mp3 .flac .ogg .oga .opus .au "
     ".snd .aif .aiff .m4a .mp4 .aac .wma) into {datasets}/Small/c or remove it"),
    (lambda folder: os.symlink("/nothing", folder / "c"), [], "'{datasets}/Small/c' is a link that leads nowhere; mend or remove it"),
    (spoilTag, [], "data set 'Small' has no usable song left with the tag 'a'; the reasons are listed above"),
])
def test_data_set(small, spoil, overrides, line):
    if spoil:
        spoil(small)
    with pytest.raises(UserError) as error:
        dl.main(settings.check(settings.override(published, [*FIT, *overrides])))
    assert exact(error.value) == "error: " + line.format(datasets=os.path.realpath("data/datasets"),
                                                           networks=", ".join(sorted(architectures.networks(buildArchitecture))))
    assert not os.listdir("data/results"), "nothing half-written"


@contextlib.contextmanager
def withoutRights(path, rights):
    """`path` with these rights for us; as root we are somebody else meanwhile."""
    before, user = os.stat(path).st_mode, os.geteuid()
    os.chmod(path, rights)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        os.chmod(path, before)


@pytest.fixture
def public():
    """A folder that all users may enter (pytest's own are for one user)."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


def test_a_song_that_may_not_be_read_and_later_may(public, parameters):
    path = os.path.join(public, "song.wav")
    with open(path, "wb") as file:
        file.write(wav(SOUND))
    with withoutRights(path, 0), pytest.raises(features.Unopened, match="^cannot be opened: Permission denied$"):
        features.compute_spectrogram(path, parameters()["DS"])
    assert features.compute_spectrogram(path, parameters()["DS"]).shape == (40, 88)


def test_folders_that_may_not_be_read_or_written(public, parameters, monkeypatch):
    monkeypatch.chdir(public)
    os.makedirs("data/datasets/Small/a")
    os.makedirs("data/results")
    with withoutRights("data/datasets/Small/a", 0), pytest.raises(UserError) as error:
        loadDatasets.findSongs("Small")
    assert exact(error.value) == (f"error: cannot read the folder '{os.path.realpath('data/datasets/Small/a')}': Permission denied; change its "
                                  "permissions or remove it")
    with withoutRights("data/results", 0o555), pytest.raises(UserError) as error:
        dl.main(parameters("DL.type=oNetOne"))
    assert exact(error.value) == ("error: cannot write 'data/results': Permission denied; free some space or change the permissions of its folder, "
                                  "then run again")


def test_oddities_are_noted(small, parameters, capsys):
    shutil.copy(small / "a/0.wav", small / "b/copy.wav")
    (small / "c").mkdir()
    (small / "c/only.wav").write_bytes(wav(SOUND * 0.1))
    loadDatasets.load_dataset(parameters(*FIT))
    out = capsys.readouterr().out
    assert "  Note: 'a/0.wav' and 'b/copy.wav' are the same sound; if one is tested and the other learnt, the accuracy is too good\n" in out
    assert ("  Note: the tag 'c' has 1 song(s), fewer than folds=2: some folds test none of it, and the one that does has learnt none\n") in out


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def npz(**parts):
    """The bytes of an archive of these .npy files: arrays, or bytes as they are."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, part in parts.items():
            stream = io.BytesIO()
            np.save(stream, part, allow_pickle=True) if isinstance(part, np.ndarray) else stream.write(part)
            file.writestr(name + ".npy", stream.getvalue())
    return archive.getvalue()


def header(shape, dtype="<f4"):
    """The bytes of an .npy file that promises an array of this shape, and holds four bytes of it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(4)


def bomb():
    """The bytes of an archive that unfolds to 200 times its size."""
    archive = io.BytesIO()
    np.savez_compressed(archive, np.zeros(10**6, np.float32))
    return archive.getvalue()


ABOUT = {"parameters": {}, "classes": ["a", "c"], "moments": [0, 1], "trainingSongs": [], "validationSongs": [], "testSongs": []}


def model(about=ABOUT, values=(np.zeros(3, np.float32),)):
    archive = io.BytesIO()
    np.savez(archive, *values, about=np.array(json.dumps(about)))
    return archive.getvalue()


@pytest.mark.parametrize("content, line", [
    (b"", "File is not a zip file"),
    (b"hello", "File is not a zip file"),
    (model()[:-30], "File is not a zip file"),
    (header((1,)), "File is not a zip file"),
    (pickle.dumps(Hostile()), "File is not a zip file"),
    (npz(arr_0=b"hello there"), "the magic string is not correct"),
    (npz(arr_0=np.array([Hostile()], dtype=object)), "cannot create an OBJECT array from memory buffer"),
    (npz(arr_0=header((2500000000,))), "cannot reshape array of size 1 into shape (2500000000,)"),
    (npz(arr_0=b"\x93NUMPY\x02\0\xff\xff\xff\xff{}"), "EOF: reading array header, expected 4294967295 bytes got 2"),
    (npz(arr_1=np.zeros(3)), "'arr_0'"),
    (npz(**{"../arr_0": np.zeros(3)}), "'arr_0'"),
    (bomb(), "its parts are larger than the file (or compressed, which numpy.savez does not)"),
    (model(values=[np.array([1, np.nan])]), "it holds values that are no finite numbers"),
    (model(values=[np.array(["a"])]), "it holds values that are no finite numbers"),
    (model(about=[1]), "it does not say what it is made for"),
    (model(about={**ABOUT, "classes": "ac"}), "it does not say what it is made for"),
    (model(about={**ABOUT, "moments": [0, float("nan")]}), "it does not say what it is made for"),
])
def test_model_file(workplace, content, line):
    with open("data/results/m.npz", "wb") as file:
        file.write(content)
    with pytest.raises(UserError) as error:
        files.load_model(files.find_model("m"))
    assert exact(error.value).startswith("error: 'data/results/m.npz' is no model file (an .npz of the arrays arr_0, arr_1 ...): ")
    assert line in exact(error.value) and not os.path.exists("pwned")


@pytest.mark.parametrize("name", ["../m", "/etc/m", "data/results/m"])
def test_names_that_climb_are_refused(workplace, name):
    with pytest.raises(UserError) as error:
        files.find_model(name)
    assert exact(error.value) == f"error: '{name}' is no name of a model: give it without folders, as in data/results"


@pytest.mark.parametrize("about, line", [
    (ABOUT, "error: the model 'data/results/m.npz' knows the classes a, c, data set 'Small' has a, b; they must be equal"),
    ({}, "error: the model 'data/results/m.npz' is no oNetOne for 2 classes: it has 1 arrays and 3 numbers, expected 18 arrays and 1782 numbers; "
     "set DL.type and DS as in its .param file"),
    ({**ABOUT, "parameters": {"DL": {"type": "oNetOne"}, "DS": {"hopSize": 512, "inputNorm": "None"}}},
     "error: the model 'data/results/m.npz' was made with DS.hopSize=512 DS.inputNorm=None, here it is DS.hopSize=1024 DS.inputNorm=log0m1v; add "
     "the former to the command line, or set them in run.py"),
])
def test_model_for_something_else(small, about, line):
    with open("data/results/m.npz", "wb") as file:
        file.write(model(about))
    with pytest.raises(UserError) as error:
        dl.main(settings.check(settings.override(published, [*FIT, "mode=m"])))
    assert exact(error.value) == line


PARAM = "'data/results/r.param' is damaged: expected JSON; "
TABLE = "'data/results/r.training' is damaged: expected 5 numbers in each line; "
NO_TABLE = "'data/results/r.training' is no table of training curves: expected the header epoch,trainingLoss,trainingAccuracy,validationLoss,validationAccuracy"
COUNTS = "cannot read 'data/results/r.confusionMatrix': "


@pytest.mark.parametrize("read, ending, content, line", [
    (files.read_parameters, ".param", b'{"folds": 1', PARAM + "Expecting ',' delimiter: line 1 column 12 (char 11)"),
    (files.read_parameters, ".param", b"[" * 100000, PARAM),
    (files.read_parameters, ".param", b"\xff\xfe", "cannot read 'data/results/r.param': 'utf-8' codec can't decode byte 0xff in position 0: "),
    (files.read_parameters, ".param", None, "cannot read 'data/results/r.param': [Errno 2] No such file or directory"),
    (files.read_training, ".training", b"", NO_TABLE),
    (files.read_training, ".training", b"a,b\n1,2\n", NO_TABLE),
    (files.read_training, ".training", ",".join(files.CURVES).encode() + b"\n0,1,2,3\n", TABLE + "cannot reshape array of size 4 into shape (1,5)"),
    (files.read_training, ".training", ",".join(files.CURVES).encode() + b"\n0,1,2,3,x\n", TABLE + "could not convert string to float: 'x'"),
    (files.runs, ".training", None, "there is no run 'r' in data/results; the latest there: none"),
    (files.read_confusion, ".confusionMatrix", pickle.dumps(Hostile()), COUNTS + "it refers to posix.mkdir, which is neither a NumPy array nor a plain "
     "value"),
    (files.read_confusion, ".confusionMatrix", pickle.dumps([np.eye(2, dtype=int)])[:-20], COUNTS + "expected 32 bytes in a bytes1, but only 18 remain"),
    (files.read_confusion, ".confusionMatrix", pickle.dumps(["accuracy 100 %"]), COUNTS + "expected one matrix of counts"),
    # five bytes that make the unpickler ask for 64 GB
    (files.read_confusion, ".confusionMatrix", b"\x80\x04]r\xff\xff\xff\xff.", COUNTS + "it numbers an object 4294967295 after 3 bytes"),
    (files.read_confusion, ".confusionMatrix", b"\x80\x05\x96\0\0\0\x80\x02\0\0\0abc.", COUNTS + "expected 10737418240 bytes in a bytearray8, "
     "but only 4 remain"),
])
def test_result_file(workplace, read, ending, content, line):
    if content is not None:
        with open("data/results/r" + ending, "wb") as file:
            file.write(content)
    with pytest.raises(UserError) as error:
        read("r")
    assert exact(error.value).startswith("error: " + line) and not os.path.exists("pwned")


def test_hostile_spectrograms_are_computed_anew(small, parameters, capsys):
    path = "data/preloaded/Small_2048_1024_mel_40_blackmanharris62.pickle"
    with open(path, "wb") as file:
        pickle.dump(Hostile(), file)
    loadDatasets.load_dataset(parameters(*FIT))
    assert (f"  {path} cannot be used and is computed anew: it refers to posix.mkdir, which is neither a NumPy array nor a plain value\n"
            in capsys.readouterr().out) and not os.path.exists("pwned")


def test_a_decoder_that_crashes_or_never_ends_costs_its_song_only(small):
    """In a script of its own, in which the decoder meets its fate at the first two songs."""
    with open("script.py", "w") as file:
        file.write("""if True:
            import itertools, os, sys
            from mirdl import settings
            from mirdl.spectrograms import cache, decoding, features
            import loadDatasets
            from run import parameters
            decode = features.compute_spectrogram

            def crash(file, DS):
                if file.endswith('0.wav'):
                    os.abort()
                return sum(itertools.repeat(1)) if file.endswith('1.wav') else decode(file, DS)
            features.compute_spectrogram, decoding.SECONDS, decoding.SECONDS_PER_MB = crash, 5, 0
            cache.in_parallel = lambda function, calls, *_: (function(*call) for call in calls)
            for _ in range(2):
                loadDatasets.load_dataset(settings.check(settings.override(parameters, sys.argv[1:])))
                features.compute_spectrogram = decode
            """)
    done = subprocess.run([sys.executable, "script.py", *FIT], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("  2 of 6 files are left out:\n"
                             "    'a/0.wav' cannot be decoded: the decoder crashed (SIGABRT)\n"
                             "    'a/1.wav' cannot be decoded: the decoder took longer than 5 s\n") == 1, "and at the next run they are tried again"


@pytest.mark.parametrize("arguments, line", [
    (["DS.dataset=Smal"], "error: there is no data set 'Smal': expected the folder {datasets}/Smal with one folder of songs per class; data sets "
     "there: Small"),
    (["folds=many"], "error: folds=many is not allowed: expected a whole number of 1 or more"),
])
def test_the_real_program_ends_with_one_line_and_status_1(small, script, arguments, line):
    done = script("run.py", *FIT, *arguments)
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == line.format(datasets=os.path.realpath("data/datasets"))
    assert "Traceback" not in done.stderr and not os.listdir("data/results")


def mounted(command):
    """A shell command in a mount namespace of its own, as a list; skips the test where that is not allowed."""
    for way in (["unshare", "-m"], ["unshare", "-rm"]):
        if shutil.which("unshare") and subprocess.run([*way, "mount", "-t", "tmpfs", "tmpfs", "data/results"], capture_output=True).returncode == 0:
            return [*way, "sh", "-c", f'{command} && exec "$0" "$@"', sys.executable, os.path.join(ROOT, "run.py"), *FIT]
    pytest.skip("mounting is not allowed here")


def test_read_only_results(small):
    done = subprocess.run(mounted("mount -t tmpfs -o ro tmpfs data/results"), capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == (
        "error: cannot write 'data/results': Read-only file system; free some space or change the permissions of its folder, then run again")


def test_no_space_for_the_spectrograms(small):
    done = subprocess.run(mounted("mount -t tmpfs -o size=40k tmpfs data/preloaded"), capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == (
        "error: cannot write 'data/preloaded/Small_2048_1024_mel_40_blackmanharris62.store': No space left on device; free some space or change the "
        "permissions of its folder, then run again")
    assert not os.listdir("data/results")
