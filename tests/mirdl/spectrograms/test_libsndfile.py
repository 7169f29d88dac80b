import os
import struct

import makeSounds
import numpy as np
import pytest
import soundfile
from conftest import ROOT

from mirdl.spectrograms import libsndfile
from mirdl.spectrograms.audio import ENDINGS
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.features import compute_spectrogram
from mirdl.system.pool import in_parallel

RATE = 44100
NOISE = makeSounds.noise(1)
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
# tests/sounds: half a second of 440 Hz, in codecs that no package of ours can write
FILES = {".mp4": ".m4a", ".m4b": ".m4a"}
# how libsndfile writes an ending: container, coding, samples per second
WRITTEN = {
    ".wave": ("WAV", "PCM_24", RATE), ".bwf": ("WAVEX", "PCM_16", RATE),
    ".rf64": ("RF64", "PCM_16", RATE), ".oga": ("OGG", "VORBIS", RATE),
    ".opus": ("OGG", "OPUS", 48000), ".snd": ("AU", "FLOAT", RATE),
    ".aif": ("AIFF", "PCM_16", RATE), ".aifc": ("AIFF", "ULAW", RATE),
    ".caf": ("CAF", "ALAC_16", RATE),
}


def logarithm(mel):
    return np.log10(1e4 * mel + 1)


@pytest.fixture
def ds(parameters):
    return parameters()["DS"]


def written(path, container=None, coding=None, rate=RATE, samples=None):
    """Write a tone, of 440 Hz at 44.1 kHz, or other samples, by libsndfile."""
    soundfile.write(path, TONE if samples is None else samples, rate, coding, format=container)
    return str(path)


def decoded(paths, ds):
    """Return the spectrogram of each file, or the reason: as in a run, in other processes."""
    calls = [(path, ds) for path in paths]
    return [found for found, _ in in_parallel(spectrogram_of, calls, "test", "song")]


def read_by_both(path, ds):
    """Return the spectrogram by Essentia, and that by libsndfile."""
    return compute_spectrogram(path, ds)[0], compute_spectrogram(path, ds, "libsndfile")[0]


@pytest.mark.essentia
def test_each_ending_can_be_read(tmp_path, ds):
    paths, pitches = [], []
    for ending in ENDINGS:
        path = os.path.join(ROOT, "tests", "sounds", "tone" + FILES.get(ending, ending))
        rate = RATE
        if not os.path.exists(path):
            container, coding, rate = WRITTEN.get(ending, (None, None, RATE))
            path = written(tmp_path / f"tone{ending}", container, coding, rate)
        paths.append(path)
        pitches.append(440 * rate / RATE)
    for path, pitch, spectra in zip(paths, pitches, decoded(paths, {
            **ds, "specTransform": "magnitudeSTFT"}), strict=True):
        assert not isinstance(spectra, str), (path, spectra)
        found = spectra.mean(axis=1).argmax() * RATE / ds["frameSize"]
        assert found == pytest.approx(pitch, abs=22), path


@pytest.mark.parametrize("container, coding, tolerance", [
    ("WAV", "PCM_16", 0), ("WAV", "PCM_24", 0), ("WAV", "FLOAT", 0), ("AIFF", "PCM_16", 0),
    ("FLAC", "PCM_24", 0), ("OGG", "VORBIS", 1e-4), ("MP3", "MPEG_LAYER_III", 1e-2),
])
@pytest.mark.parametrize("rate, channels", [(44100, 1), (44100, 2), (48000, 2), (22050, 1)])
def test_both_readers_agree(tmp_path, ds, container, coding, tolerance, rate, channels):
    samples = np.random.RandomState(5).uniform(-0.3, 0.3, (rate, channels))
    path = written(tmp_path / "song", container, coding, rate, samples)
    first, second = read_by_both(path, ds)
    frames = min(first.shape[1], second.shape[1]) - 3       # an encoder's silence at the end
    assert abs(first.shape[1] - second.shape[1]) <= 1
    difference = np.abs(logarithm(first) - logarithm(second))[:, :frames] if tolerance else (
        np.abs(first - second))
    assert difference.max() <= tolerance


def test_what_only_libsndfile_reads_is_the_same_sound(tmp_path, ds):
    codings = [
        ("WAV", "MS_ADPCM", RATE, 0.1), ("WAV", "IMA_ADPCM", RATE, 0.1),
        ("W64", "PCM_16", RATE, 1e-3), ("CAF", "PCM_16", RATE, 1e-3),
        ("CAF", "ALAC_24", RATE, 1e-3), ("VOC", "PCM_16", RATE, 1e-3),
        ("NIST", "PCM_16", RATE, 1e-3), ("SVX", "PCM_16", RATE, 1e-3),
        ("OGG", "OPUS", 48000, 0.3), ("AU", "G721_32", RATE, 0.3), ("W64", "GSM610", RATE, 0.6),
    ]
    expected = logarithm(compute_spectrogram(written(tmp_path / "tone.wav"), ds)[0])
    band = expected.mean(axis=1).argmax()
    paths = [
        written(tmp_path / f"{container}.{coding}", container, coding, rate,
                0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate))
        for container, coding, rate, _ in codings
    ]
    for found, (*coding, tolerance) in zip(decoded(paths, ds), codings, strict=True):
        assert not isinstance(found, str), (coding, found)
        found = logarithm(found)
        assert abs(found.shape[1] - expected.shape[1]) <= 2, coding
        assert found.mean(axis=1).argmax() == band, coding
        difference = np.abs(found[band, 5:80] - expected[band, 5:80]).max()
        assert difference <= tolerance, (coding, difference)


@pytest.mark.parametrize("samples", [
    1, libsndfile.BLOCK - 1, libsndfile.BLOCK, libsndfile.BLOCK + 1, 2 * libsndfile.BLOCK + 5])
def test_a_song_of_any_length_is_read_to_its_end(tmp_path, samples):
    rng = np.random.RandomState(samples)
    both = rng.randint(-2**15, 2**15, (samples, 2)).astype(np.int16)
    [(found, rate)] = libsndfile.read(written(tmp_path / "song", "W64", "PCM_16", 32000, both))
    assert rate == 32000 and found.dtype == np.float32
    np.testing.assert_array_equal(found, both.sum(axis=1) / np.float32(2**16))


@pytest.mark.parametrize("container, coding, channels", [
    ("WAV", "PCM_16", 3), ("WAV", "FLOAT", 9), ("W64", "PCM_24", 4), ("FLAC", "PCM_16", 6)])
def test_any_number_of_channels_is_mixed_to_their_mean(tmp_path, ds, container, coding, channels):
    samples = np.random.RandomState(5).randint(-2**14, 2**14, (RATE, channels)) / 2**15
    path = written(tmp_path / "song", container, coding, samples=samples)
    mean = written(tmp_path / "mean", "WAV", "FLOAT", samples=samples.mean(axis=1))
    found, expected = decoded([path, mean], ds)
    np.testing.assert_allclose(logarithm(found), logarithm(expected), rtol=0, atol=1e-4)


@pytest.mark.essentia
def test_what_cannot_be_used_says_what_to_do(tmp_path, ds):
    webm = os.path.join(ROOT, "tests", "sounds", "tone.webm")
    assert decoded([webm], ds) == [
        "cannot be decoded: its codec is not known; convert it to wav or flac"]


def padded(samples):
    """Return the bytes of a wav of 24 valid bits in 32, as sound cards write it."""
    data = (np.int64(samples * (2**23 - 1)) << 8).astype("<i4").tobytes()
    kind = bytes.fromhex("0100000000001000800000aa00389b71")
    header = struct.pack("<4sI4s4sIHHIIHHHHI16s4sI", b"RIFF", 60 + len(data), b"WAVE", b"fmt ", 40,
                         0xFFFE, 1, RATE, 4 * RATE, 4, 32, 22, 24, 4, kind, b"data", len(data))
    return header + data


@pytest.mark.essentia
def test_24_valid_bits_in_32_are_not_taken_for_24(tmp_path, ds):
    (tmp_path / "padded.wav").write_bytes(padded(TONE))
    path = str(tmp_path / "padded.wav")
    expected = compute_spectrogram(written(tmp_path / "tone.wav", "WAV", "PCM_24"), ds)[0]
    found, note = compute_spectrogram(path, ds, promised=libsndfile.length(path))
    np.testing.assert_allclose(logarithm(found), logarithm(expected), rtol=0, atol=1e-3)
    assert note == ""
    assert compute_spectrogram(path, ds)[0].shape[1] > 110, "what Essentia makes of it"


@pytest.mark.essentia
def test_half_a_file_is_noted(tmp_path, ds):
    path = written(tmp_path / "song.flac", samples=NOISE)
    with open(path, "rb+") as file:
        file.truncate(os.path.getsize(path) // 2)
    spectrogram, note = compute_spectrogram(path, ds, promised=libsndfile.length(path))
    assert spectrogram.shape[1] < 25
    assert note == "holds 0.5 s, but its header promises 1.0 s"


@pytest.mark.essentia
def test_a_wav_of_aac_promises_a_length(tmp_path, ds):
    """Of AAC without the headers of its packets, little is decoded."""
    with open(os.path.join(ROOT, "tests", "sounds", "tone.aac"), "rb") as file:
        content = file.read()
    form = struct.pack("<HHIIHH", 0xFF, 1, RATE, int(len(content) / 0.538), 1, 16)
    for name, data, note in (
            ("whole", content * 6, ""),
            ("rest", content + bytes(5 * len(content)),
             "holds 0.6 s, but its header promises 3.2 s")):
        path = tmp_path / f"{name}.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
                         + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data))
                         + data)
        promised = libsndfile.length(str(path))
        assert promised.seconds == pytest.approx(6 * 0.538, abs=0.01)
        assert compute_spectrogram(str(path), ds, promised=promised)[1] == note


def test_a_length_that_no_header_tells(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    assert libsndfile.length(str(tmp_path / "text.wav")) is None
    assert libsndfile.length(str(tmp_path / "missing.wav")) is None
    os.mkfifo(tmp_path / "pipe.wav")
    assert libsndfile.length(str(tmp_path / "pipe.wav")) is None
    assert libsndfile.length(written(tmp_path / "tone.wav")).seconds == 2


def test_parts_differ_by_rate_or_channels(tmp_path):
    def part(rate, channels):
        samples = np.tile(makeSounds.noise(1, rate)[:, None], channels)
        return makeSounds.by_libsndfile(samples, "MP3", "MPEG_LAYER_III", rate)
    one = part(44100, 1)
    for other, count in ((part(22050, 1), 2), (part(44100, 2), 2), (one, 0)):
        (tmp_path / "joined.mp3").write_bytes(one + other)
        assert len(libsndfile.differing_parts(str(tmp_path / "joined.mp3"))) == count


def test_parts_of_two_rates_are_both_heard(tmp_path, ds):
    parts = [makeSounds.by_libsndfile(makeSounds.noise(2, rate), "MP3", "MPEG_LAYER_III", rate)
             for rate in (22050, 44100)]
    (tmp_path / "joined.mp3").write_bytes(b"".join(parts))
    [found] = decoded([str(tmp_path / "joined.mp3")], ds)
    assert found.shape[1] == pytest.approx(4 * RATE / 1024, abs=8)


def test_the_name_does_not_tell_what_a_file_is(tmp_path, ds):
    """libsndfile would take a .raw for samples without a header."""
    path = written(tmp_path / "song.wav", "WAV", "MS_ADPCM")
    os.rename(path, tmp_path / "song.raw")
    assert compute_spectrogram(str(tmp_path / "song.raw"), ds, "libsndfile")[0].shape[1] in (88, 89)


@pytest.mark.parametrize("container, coding, scale, peak", [
    ("WAV", "FLOAT", 32768, 32768), ("AIFF", "DOUBLE", 1.5, 1.5), ("CAF", "FLOAT", 1, 1),
    ("WAV", "PCM_24", 1, 0), ("OGG", "VORBIS", 1, 0)])
def test_the_peak_is_that_of_floating_point_samples(tmp_path, container, coding, scale, peak):
    samples = np.zeros((libsndfile.BLOCK + 9, 2))
    samples[-3, 1] = -scale         # in the last block, of one channel
    written(tmp_path / "song", container, coding, samples=samples)
    assert libsndfile.peak(str(tmp_path / "song")) == peak


@pytest.mark.parametrize("scale, note", [
    (32768, "has samples up to 32768, beyond 1 and -1; scale it down"),
    (1.01, "has samples up to 1.01, beyond 1 and -1; scale it down"), (1.004, ""), (1, "")])
def test_samples_beyond_1_are_noted(tmp_path, ds, scale, note):
    path = tmp_path / "song.wav"
    written(path, "WAV", "FLOAT", samples=scale * TONE / np.abs(TONE).max())
    assert compute_spectrogram(str(path), ds)[1] == note
    path.write_bytes(path.read_bytes()[:-9000])
    cut_off = compute_spectrogram(str(path), ds)[1]
    assert cut_off.startswith("is cut off: ") and cut_off.endswith(f"; it {note}" if note else
                                                                    "promises are there")
