"""theano.function by its older name."""

from pytensor.compile.rebuild import rebuild_collect_shared

from theano.compile.function import function as pfunc
from theano.compile.io import Param
