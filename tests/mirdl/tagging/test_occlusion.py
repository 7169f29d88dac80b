import numpy as np
import pytest

from mirdl.tagging.occlusion import BATCH, GROUPS, STEP, occlusion

SECONDS = 1024 / 44100
BANDS, FRAMES, WIDTH = 40, 400, 100     # 9.3 s
ALL = np.arange(FRAMES)


def network(x):
    """A network that hears one thing: how loud bands 16 to 23 are at their loudest frame."""
    assert x.shape == (BATCH, 1, BANDS, WIDTH)
    return network_of_all(x)


def network_of_all(x):
    sure = 1 / (1 + np.exp(-x[:, 0, 16:24].mean(axis=1).max(axis=1)))
    return np.column_stack([1 - sure, sure])


def song(frame, bands=slice(16, 24)):
    """Noise with a sound of four frames."""
    spectrogram = np.random.RandomState(1).normal(0, 0.1, (BANDS, FRAMES)).astype(np.float32)
    spectrogram[bands, frame:frame + 4] += 4
    return spectrogram


@pytest.mark.parametrize("frame", [0, 20, 95, 217, 396])
@pytest.mark.parametrize("hop", [10, 50, 100])
def test_the_place_of_what_is_heard_loses_most(frame, hop):
    starts = list(range(0, FRAMES - WIDTH + 1, hop))
    losses = occlusion(network, song(frame), ALL, starts, WIDTH, 1, SECONDS)
    assert losses.shape == (GROUPS, round(FRAMES * SECONDS / STEP))
    group, place = np.unravel_index(losses.argmax(), losses.shape)
    assert group == 2 and abs((place + 0.5) * STEP - (frame + 2) * SECONDS) <= 0.5
    others = np.delete(losses, 2, axis=0)
    assert abs(others).max() < 1e-6, "what is not heard loses nothing"
    # the class that does not hear it gains there
    assert occlusion(network, song(frame), ALL, starts, WIDTH, 0, SECONDS)[group, place] < 0


def test_the_loss_is_that_of_the_mean_probability():
    """One of two chunks has the sound, and its probability falls to about a half."""
    losses = occlusion(network, song(50), ALL, [0, 100], WIDTH, 1, SECONDS)
    before = network(np.broadcast_to(song(50)[:, :WIDTH], (BATCH, 1, BANDS, WIDTH)))[0, 1]
    assert losses.max() == pytest.approx((before - 0.5) / 2, abs=0.02)


def test_a_sound_that_is_always_there_is_not_lost():
    spectrogram = song(50)
    spectrogram[16:24] = 4
    assert abs(occlusion(network, spectrogram, ALL, [0, 100], WIDTH, 1, SECONDS)).max() < 1e-6


@pytest.mark.parametrize("frames", [1, 3])
def test_frames_longer_than_a_step_are_hidden_one_by_one(frames):
    def one(x):
        sure = x[:, 0, 0].sum(axis=1) / 10
        return np.column_stack([1 - sure, sure])
    spectrogram = np.zeros((1506, frames), np.float32)
    spectrogram[:, -1] = 4
    losses = occlusion(one, spectrogram, np.arange(frames), [0], frames, 1, 1.488, 1)
    assert losses.shape == (1, frames)
    if frames > 1:
        assert losses.argmax() == frames - 1
    else:
        assert losses.tolist() == [[0]]


def test_a_repeated_song_is_hidden_in_each_repetition():
    """What is heard in each of four repetitions is lost only if it is hidden in all of them."""
    once = song(20)[:, :100]
    repeated, shown = np.tile(once, 4), np.tile(np.arange(100), 4)
    losses = occlusion(network_of_all, repeated, shown, [0], FRAMES, 1, SECONDS)
    assert losses.shape == (GROUPS, round(100 * SECONDS / STEP))
    group, place = np.unravel_index(losses.argmax(), losses.shape)
    assert group == 2 and abs((place + 0.5) * STEP - 22 * SECONDS) <= 0.25 and losses.max() > 0.4
    apart = occlusion(network_of_all, repeated, ALL, [0], FRAMES, 1, SECONDS)
    assert abs(apart).max() < 0.05


def test_what_pads_a_song_is_no_part_of_it():
    padded = np.pad(song(20)[:, :50], ((0, 0), (0, 50)))
    shown = np.append(np.arange(50), np.full(50, -1))
    losses = occlusion(network, padded, shown, [0], WIDTH, 1, SECONDS)
    assert losses.shape == (GROUPS, round(50 * SECONDS / STEP))
    assert abs((losses[2].argmax() + 0.5) * STEP - 22 * SECONDS) <= 0.25
