"""Pooling by its older names."""

from theano.tensor.signal.pool import Pool, pool_2d

DownsampleFactorMax = Pool


def max_pool_2d(input, ds, ignore_border=None, st=None, padding=(0, 0), mode="max"):
    """See `theano.tensor.signal.pool.pool_2d`."""
    return pool_2d(input, ws=ds, ignore_border=ignore_border, stride=st, pad=padding, mode=mode)
