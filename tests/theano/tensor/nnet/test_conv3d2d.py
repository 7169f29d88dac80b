"""Convolution of videos."""

import numpy as np
import scipy.signal
import scipy.sparse
import scipy.special

import theano.tensor as T


def test_convolution_of_videos(rng):
    from theano.tensor.nnet import conv3d2d
    video, filters = rng.rand(2, 5, 3, 6, 7), rng.rand(4, 2, 3, 3, 2)
    found = conv3d2d.conv3d(T.constant(video), T.constant(filters)).eval()
    assert found.shape == (2, 4, 4, 4, 6)
    expected = sum(scipy.signal.convolve(video[1, :, c], filters[2, :, c], "valid")
                   for c in range(3))
    np.testing.assert_allclose(found[1, :, 2], expected)
    wide = conv3d2d.conv3d(T.constant(video), T.constant(filters),
                           border_mode=("valid", "full", "half"))
    assert wide.eval().shape == (2, 4, 4, 8, 8)
