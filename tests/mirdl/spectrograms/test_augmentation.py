from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from mirdl.spectrograms.augmentation import Draws, altered, draw
from mirdl.spectrograms.chunks import Chunks
from mirdl.spectrograms.store import Store
from mirdl.training.on_device import Songs, _windows

ALL = "crop+stretch:1.5+gain:0.5+mask:0.3+mixup:0.4"
BANDS, WIDTH = 6, 20


def chunks_of(last, **options):
    """Three songs, the last one of one chunk; frame f of band b of song s is 1000 s + f."""
    songs = [1000 * song + np.tile(np.arange(frames, dtype=np.float32), (BANDS, 1))
             for song, frames in enumerate((90, 50, last))]
    return Chunks(songs, np.array([0, 1, 2], np.uint8), [range(0, 71, 10), range(0, 31, 10), [0]],
                  WIDTH, np.zeros(3, np.float32), np.ones(3, np.float32), batch_size=4,
                  places=np.arange(3), **options)


@pytest.fixture
def chunks():
    """Make chunks of which the last song has just one."""
    return chunks_of(WIDTH)


@pytest.fixture(params=["leave", "pad", "repeat"])
def any_chunks(request):
    """Make chunks whose last song has just one, or is a third of one."""
    short = request.param
    return chunks_of(WIDTH if short == "leave" else WIDTH // 3, short=short)


def rng():
    return np.random.RandomState(3)


def every(chunks):
    return chunks[np.arange(len(chunks))]


def test_nothing_asked_nothing_drawn(chunks):
    stream = rng()
    assert chunks.augmented("", stream) is chunks
    assert stream.randint(1000) == rng().randint(1000)


def test_the_same_stream_gives_the_same_epoch_and_the_next_one_differs(chunks):
    stream = rng()
    first, second = (every(chunks.augmented(ALL, stream)) for _ in range(2))
    again = every(chunks.augmented(ALL, rng()))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first[0], second[0])


def test_a_batch_has_the_draws_of_its_chunks(chunks):
    epoch = chunks.augmented("crop+stretch:1.5+gain:0.5+mask:0.3", rng())
    which = np.array([7, 2, 11, 5])
    np.testing.assert_array_equal(epoch[which][0], every(epoch)[0][which])


@pytest.fixture
def many():
    """Draw for many chunks of one song: many(stretch=1.5) -> first frames, draws."""
    def make(**asked):
        count = 20000
        return draw(np.zeros(count, int), np.full(count, 50), BANDS, WIDTH, asked, rng())
    return make


def test_draws_are_spread_as_their_strengths_say(many):
    _, draws = many(stretch=1.5, gain=0.5, mixup=0.4)
    assert np.log(draws.factor).mean() == pytest.approx(0, abs=0.01), "slower as often as faster"
    assert np.log(draws.factor).std() == pytest.approx(np.log(1.5) / 3 ** 0.5, rel=0.02)
    np.testing.assert_allclose(draws.gain.std(axis=0), 0.5, rtol=0.02)
    np.testing.assert_allclose(draws.gain.mean(axis=0), 0, atol=0.02)
    variance = 1 / (4 * (2 * 0.4 + 1))      # of Beta(0.4, 0.4)
    assert ((draws.weight - 0.5) ** 2).mean() == pytest.approx(variance, rel=0.02)


def test_masks_of_every_size_begin_and_end_anywhere(many):
    _, draws = many(mask=0.5)
    for limits, length in ((draws.bands, BANDS), (draws.frames, WIDTH)):
        first, size = limits[:, 0], np.diff(limits)[:, 0]
        assert set(size) == set(range(length // 2 + 1))
        assert np.bincount(size).min() > 0.9 * len(size) / (length // 2 + 1)
        for one in (0, 1, length // 2):
            assert set(first[size == one]) == set(range(length - one + 1))


def test_a_chunk_of_another_tempo_begins_anywhere_in_its_song(many):
    start, draws = many(crop=None, stretch=1.5)
    last = 50 - 2 - (draws.factor * (WIDTH - 1)).astype(int)
    assert (start <= last).all() and (start == last).any() and (start == 0).any()
    assert start.mean() == pytest.approx(last.mean() / 2, rel=0.02)


def test_crop_begins_anywhere_in_its_own_song(chunks):
    starts = set()
    for seed in range(50):
        x, y = every(chunks.augmented("crop", np.random.RandomState(seed)))
        first = x[:, 0, :, 0]
        assert np.array_equal(x[:, 0], first[..., None] + np.arange(WIDTH)), "one piece each"
        assert (first[:, 0] // 1000 == y).all(), "of its own song"
        starts |= set(first[y == 1, 0].tolist())
    assert starts == {1000.0 + start for start in range(31)}, "the first and the last place, too"
    assert y.dtype == np.uint8 and y.tolist() == chunks.y.tolist()


def test_stretch_reads_frames_a_factor_apart(chunks):
    for seed in range(20):
        epoch = chunks.augmented("stretch:1.5", np.random.RandomState(seed))
        x, _ = every(epoch)
        factor = epoch.draws.factor
        # a ramp of one a frame becomes one of the factor
        expected = x[:, 0, 0, :1] + factor[:, None] * np.arange(WIDTH)
        np.testing.assert_allclose(x[:, 0, 0], expected, atol=2e-3)
        assert (factor >= 1 / 1.5 - 1e-6).all() and (factor <= 1.5 + 1e-6).all()
        assert factor[-1] <= (WIDTH - 2) / (WIDTH - 1) + 1e-6, "no more frames than the song has"


@pytest.mark.parametrize("width", [1, 2])
def test_chunks_of_few_frames_are_stretched(width):
    song = np.arange(9, dtype=np.float32)[None]
    few = Chunks([song], [0], [range(9 - width)], width, [0], [1], batch_size=4).augmented(
        "stretch:1.5", rng())
    expected = few.start[:, None] + few.draws.factor[:, None] * np.arange(width)
    np.testing.assert_allclose(every(few)[0][:, 0, 0], expected, rtol=1e-6)
    assert few.start[:-1].tolist() == list(range(8 - width))


def test_without_crop_chunks_begin_where_they_did_or_just_before(chunks):
    frames = np.array([90, 50, WIDTH])[chunks.song]
    start, draws = draw(chunks.start, frames, BANDS, WIDTH, {"stretch": 1.5}, rng())
    needed = (draws.factor * (WIDTH - 1)).astype(int) + 2
    np.testing.assert_array_equal(start, np.minimum(chunks.start, frames - needed))


def test_gain_adds_a_smooth_curve_over_the_bands(chunks):
    plain, _ = every(chunks)
    curve = every(chunks.augmented("gain:0.5", rng()))[0] - plain
    assert np.ptp(curve, axis=3).max() < 1e-3, "the same in each frame"
    assert np.std(curve[:, 0, :, 0]) > 0.1
    waves = np.cos(np.pi * np.outer((np.arange(BANDS) + 0.5) / BANDS, np.arange(4)))
    rest = np.linalg.lstsq(waves, curve[:, 0, :, 0].T, rcond=None)[1]
    assert (rest < 1e-5).all(), "made of four cosines"


def test_mask_sets_bands_and_frames_to_the_mean(chunks):
    epoch = chunks.augmented("mask:0.5", rng())
    chunks.spectrograms[0] += 1     # not 0 by itself anywhere
    x, _ = every(epoch)
    for masked, bands, frames in zip(x[:, 0] == 0, epoch.draws.bands, epoch.draws.frames,
                                     strict=True):
        expected = np.zeros((BANDS, WIDTH), bool)
        expected[slice(*bands)] = expected[:, slice(*frames)] = True
        np.testing.assert_array_equal(masked, expected)


def test_mixup_mixes_a_chunk_with_the_one_before_it(chunks):
    plain, classes = every(chunks)
    x, y, other, weight = every(chunks.augmented("mixup:0.4", rng()))
    assert y.tolist() == classes.tolist() and other.tolist() == np.roll(classes, 1).tolist()
    assert (weight >= 0.5).all() and (weight <= 1).all() and np.std(weight) > 0.05
    share = weight[:, None, None, None]
    np.testing.assert_allclose(x, share * plain + (1 - share) * np.roll(plain, 1, axis=0),
                               rtol=1e-5)


def test_songs_on_disk_are_altered_alike(any_chunks, tmp_path):
    chunks = any_chunks
    store = Store(str(tmp_path / "store"), {})
    stored = [store.keep(str(number), (), song)[1]
              for number, song in enumerate(chunks.spectrograms)]
    expected = every(chunks.augmented(ALL, rng()))
    chunks.spectrograms = stored
    for one, other in zip(every(chunks.augmented(ALL, rng())), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_device_cuts_and_alters_as_the_cpu_does(any_chunks):
    chunks = any_chunks
    epoch = chunks.augmented(ALL, rng())
    expected, *_ = every(epoch)
    songs = Songs(chunks.spectrograms, {"xInput": WIDTH, "short": chunks.short})
    first, _, _, _, draws = songs.examples(epoch)
    windows = _windows(songs.frames, first, draws.factor, WIDTH)[:, None]
    np.testing.assert_allclose(altered(windows, draws, jnp), expected, atol=2e-3)


def test_a_curve_is_added_before_a_mask_and_chunks_are_mixed_last():
    x = np.random.RandomState(0).standard_normal((3, 1, BANDS, WIDTH)).astype(np.float32)
    gain = np.float32([[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 3]])
    bands, frames = np.int32([[0, 2], [5, 6], [1, 1]]), np.int32([[3, 3], [0, 1], [19, 20]])
    weight = np.float32([0.5, 0.75, 1])
    place = (np.arange(BANDS) + 0.5) / BANDS
    curves = [np.ones(BANDS), 2 * np.cos(np.pi * place), 3 * np.cos(3 * np.pi * place)]
    changed = x[:, 0] + np.array(curves)[:, :, None]
    for each, rows, columns in zip(changed, bands, frames, strict=True):
        each[slice(*rows)] = each[:, slice(*columns)] = 0
    expected = [0.5 * changed[0] + 0.5 * changed[2], 0.75 * changed[1] + 0.25 * changed[0],
                changed[2]]
    for xp in (np, jnp):
        found = altered(xp.asarray(x), Draws(None, gain, bands, frames, weight), xp)
        np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


def test_draws_of_a_chunk_that_is_not_altered_change_nothing():
    x = np.random.RandomState(0).standard_normal((2, 1, BANDS, WIDTH)).astype(np.float32)
    draws = Draws(gain=np.zeros((2, 4), np.float32), bands=np.zeros((2, 2), np.int32),
                  frames=np.zeros((2, 2), np.int32), weight=np.ones(2, np.float32))
    np.testing.assert_array_equal(altered(x, draws, np), x)
    assert altered(x, Draws(), SimpleNamespace()) is x
