from types import SimpleNamespace

import numpy as np
import pytest

from mirdl.results.model_info import ModelInfo
from mirdl.results.models import Model
from mirdl.tagging import occlusion
from mirdl.tagging.answer import Answer
from mirdl.tagging.views import losses_of, view_of

WIDTH, SECONDS = 100, 1024 / 44100


@pytest.fixture
def tagger(parameters):
    """A model that hears how loud the loudest frame is, anywhere."""
    def forward(x):
        sure = 1 / (1 + np.exp(-x[:, 0].mean(axis=1).max(axis=1)))
        return np.column_stack([1 - sure, sure])

    def of(short):
        settled = parameters(f"DS.xInput={WIDTH}", f"DS.short={short}", "chunkHop=50")
        info = ModelInfo(settled, ["a", "b"], 11, 0, "", {}, [0.0, 1.0], ["a/1.wav"], [], [])
        return SimpleNamespace(
            models=[Model("run-f0", "run-f0.npz", [], info)], parameters=settled,
            classes=["a", "b"], network=lambda: SimpleNamespace(forward=forward))
    return of


def answer_of(spectrogram, frames, starts=(0,), ends=()):
    ends = np.array([*ends, frames])
    return Answer("1.wav", 1, np.full((len(starts), 2), 0.5), np.array(starts) * SECONDS,
                  spectrogram, frames, frames * SECONDS, segments=[],
                  times=np.column_stack([[0, *ends[:-1]], ends]) * SECONDS)


@pytest.mark.parametrize("short", ["repeat", "pad"])
def test_a_short_song_is_hidden_in_its_own_time(tagger, short):
    """Its one loud frame is the 20th of 40; where it is repeated, it is hidden in all of them."""
    own = np.zeros((40, 40), np.float32)
    own[:, 20] = 4
    spectrogram = np.pad(own, ((0, 0), (0, 60)), {"repeat": "wrap", "pad": "constant"}[short])
    answer = answer_of(spectrogram, 40)
    losses = losses_of(tagger(short), answer)
    assert losses.shape == (occlusion.GROUPS, round(40 * SECONDS / occlusion.STEP))
    found = losses.sum(axis=0)
    assert found.argmax() == int(20.5 * SECONDS / occlusion.STEP) and found.max() > 0.1
    view = view_of(tagger(short), answer, "title", "1.wav")
    assert view.spectrogram.shape == (40, 40) and view.times.tolist() == [[0, 40 * SECONDS]]
    assert view.length == 40 * SECONDS


def test_of_several_tags_the_likeliest_is_shown_over_time(tagger):
    """The segments of several tags overlap, or there are none."""
    answer = answer_of(np.zeros((40, 250), np.float32), 250, [0, 50, 100, 150],
                       [75, 125, 175])
    answer.probabilities[1:] = 0.4, 0.9
    answer.thresholds = np.array([0.95, 0.95])
    view = view_of(tagger("leave"), answer, "title", "1.wav")
    assert [each.label for each in view.segments] == [0, 1]
    assert view.segments[-1].end == view.length == pytest.approx(250 * SECONDS)


def test_a_view_says_whose_answer_it_is(tagger):
    answer = answer_of(np.zeros((40, 250), np.float32), 250)
    view = view_of(tagger("leave"), answer, "title", "1.wav")
    assert len(view.hertz) == 40 and view.hertz[0] < 100 and 19000 < view.hertz[-1] < 22050
    assert view.by == "majority vote of run-f0, whose data set does not have it"
