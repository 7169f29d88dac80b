"""Names that programs import, and what is said where there is no such module."""

import importlib

import pytest

import theano
import theano.tensor as T

x, y = T.dvectors("x", "y")


def test_names_that_scripts_import():
    from theano.compat.python2x import OrderedDict
    from theano.compile.nanguardmode import NanGuardMode
    from theano.compile.ops import as_op
    from theano.gof.utils import hash_from_code
    assert as_op is theano.as_op and hash_from_code is theano.gof.hash_from_code
    assert not theano.sandbox.cuda.cuda_enabled
    assert theano.__version__ == "1.0.5"
    assert theano.compile.get_default_mode() is theano.compile.FAST_RUN
    a, b = theano.dot(x, y), theano.clone(x.sum(), OrderedDict([(x, 2 * x)]))
    assert theano.function([x, y], [a, b])([1., 2.], [3., 4.]) == [11, 6]
    assert theano.function([x], x.sum(), mode=NanGuardMode(nan_is_error=True))([1., 2.]) == 3
    with pytest.raises(AssertionError, match="NaN"):
        theano.function([x], T.log(x).sum(), mode=NanGuardMode(nan_is_error=True))([-1., 2.])


@pytest.mark.parametrize("name", ["theano.tensor.nnet.blocksparse", "theano.tensor.nnet.ctc",
                                  "theano.sandbox.cuda.blas", "theano.gpuarray.fft"])
def test_what_is_not_there_is_named(name):
    with pytest.raises(ImportError, match=name):
        importlib.import_module(name)
