"""cuDNN's names."""

import numpy as np
import scipy.signal
import scipy.sparse
import scipy.special

import theano.tensor as T


def test_cudnns_names_work_on_the_device_in_use(rng):
    from theano import gpuarray
    from theano.sandbox.cuda import dnn
    assert gpuarray.pygpu_activated
    assert gpuarray.dnn.dnn_present() and gpuarray.dnn.dnn_available(None)
    assert gpuarray.dnn.dnn_conv is dnn.dnn_conv
    x, w = rng.rand(2, 3, 5, 6), rng.rand(4, 3, 2, 3)
    settings = {"border_mode": (1, 2), "subsample": (2, 1), "conv_mode": "cross"}
    image, kernel = T.constant(x), T.constant(w)
    y = dnn.dnn_conv(image, kernel, **settings)
    expected = T.nnet.conv2d(image, kernel, border_mode=(1, 2), subsample=(2, 1), filter_flip=False)
    np.testing.assert_array_equal(y.eval(), expected.eval())
    image = gpuarray.basic_ops.gpu_contiguous(image)
    by_matrices = gpuarray.blas.GpuCorrMM((1, 2), (2, 1))(image, kernel)
    np.testing.assert_array_equal(by_matrices.eval(), expected.eval())
    for found, wrt in ((dnn.dnn_gradweight(image, y, w.shape, **settings), kernel),
                       (dnn.dnn_gradinput(kernel, y, x.shape, **settings), image)):
        np.testing.assert_allclose(found.eval(), T.grad((y ** 2).sum() / 2, wrt).eval())


def test_cudnns_names_for_volumes_and_normalisation(rng):
    from theano.gpuarray import dnn
    volume, kernel = rng.rand(1, 2, 4, 4, 4), rng.rand(3, 2, 2, 2, 2)
    found = dnn.dnn_conv3d(T.constant(volume), T.constant(kernel)).eval()
    expected = sum(scipy.signal.convolve(v, k, "valid")
                   for v, k in zip(volume[0], kernel[1], strict=True))
    np.testing.assert_allclose(found[0, 1], expected)
    pooled = dnn.dnn_pool(T.constant(volume), (2, 2, 2), (2, 2, 2), "average")
    np.testing.assert_allclose(pooled.eval()[0, 0, 0, 0, 0], volume[0, 0, :2, :2, :2].mean())
    one = np.ones((1, 2, 1, 1, 1))
    normal, mean, scale = dnn.dnn_batch_normalization_train(T.constant(volume), one, 0 * one,
                                                            "spatial")
    np.testing.assert_allclose(mean.eval().ravel(), volume.mean((0, 2, 3, 4)))
    same = dnn.dnn_batch_normalization_test(volume, one, 0 * one, mean, 1 / scale ** 2, "spatial",
                                            1e-12)
    np.testing.assert_allclose(same.eval(), normal.eval())
