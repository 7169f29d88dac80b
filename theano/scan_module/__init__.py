"""Loops: PyTensor's scan, with Theano's return values."""

import functools
import warnings

from pytensor.scan import basic, views
from pytensor.scan.utils import until

from theano.scan_module import scan_op
from theano.updates import OrderedUpdates


def _theano_style(loop):
    @functools.wraps(loop)
    def wrapped(*args, **kwargs):
        with warnings.catch_warnings():
            # PyTensor announces that it will return no updates some day.
            warnings.simplefilter("ignore", DeprecationWarning)
            outputs, updates = loop(*args, **kwargs)
        return outputs, OrderedUpdates(updates)
    return wrapped


scan = _theano_style(basic.scan)
map = _theano_style(views.map)
reduce = _theano_style(views.reduce)
foldl = _theano_style(views.foldl)
foldr = _theano_style(views.foldr)
