import numpy as np
import pytest

import predict
from mirdl.errors import UserError
from mirdl.frames import MUSICNN


@pytest.mark.slow
@pytest.mark.parametrize("name", MUSICNN)
def test_the_tags_are_the_originals(musicnn_weights, oracle, name):
    numbers, start = oracle("musicnn.npz"), name.removeprefix("musicnn-")
    tagger = predict.Tagger(name)
    assert tagger.classes == numbers[f"{start}_labels"].tolist()
    answer = tagger.answer("song", numbers["input"][0].T.astype(np.float32))
    np.testing.assert_allclose(answer.final, numbers[f"{start}_taggram"][0], rtol=0, atol=1e-5)
    assert answer.tag == tagger.classes[numbers[f"{start}_taggram"][0].argmax()]
    assert answer.several and answer.by == "mean"
    with pytest.raises(UserError, match=f"{name} .*several tags.*leave out --by vote"):
        predict.Tagger(name, by="vote")


@pytest.mark.slow
def test_windows_follow_one_another_and_a_short_song_is_repeated(musicnn_weights, oracle):
    tagger, window = predict.Tagger("musicnn-MTT"), oracle("musicnn.npz")["input"][0].T
    one = tagger.answer("song", window)
    for frames, expected in ((186, [0]), (187, [0]), (373, [0]), (374, [0, 187])):
        song = window.take(range(frames), axis=1, mode="wrap")
        answer = tagger.answer("song", song)
        assert answer.start.tolist() == [frame * 256 / 16000 for frame in expected]
        if frames >= 187:
            np.testing.assert_allclose(answer.final, one.final, rtol=0, atol=1e-6)
