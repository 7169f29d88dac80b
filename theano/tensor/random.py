"""Streams of random numbers, common to Theano's two modules for them.

Theano's generators are MRG31k3p and NumPy's; here they are JAX's. Interface and distributions are
the same, the numbers are not.
"""

import functools
import math
import operator

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.scalar import upcast
from pytensor.tensor.basic import get_vector_length, infer_static_shape
from pytensor.tensor.type import TensorType

from theano.compile.sharedvalue import shared
from theano.xla import random
from theano.xla.op import apply, tensor_type

KEY = TensorType("uint32", (None,))
TRUNCATED = 0.87962566103423978     # standard deviation of a normal distribution cut at -2 and 2


class Streams:
    """A source of random variables, each with a state of its own that a function updates.

    Without a `size` they have the shape that their parameters have together. `nstreams` and
    `target` are accepted.
    """

    def __init__(self, seed=12345):
        self.state_updates = []
        self.seed(seed)

    def seed(self, seed=None):
        """Start again: all variables drawn so far, and those to come, get states from `seed`."""
        if seed is not None:
            self.default_instance_seed = int(np.asarray(seed).flat[0])
        self.gen_seedgen = np.random.RandomState(self.default_instance_seed % 2**32)
        for state, _ in self.state_updates:
            state.set_value(self._new_key())

    def updates(self):
        """List the pairs (state, next state) of all variables."""
        return list(self.state_updates)

    def uniform(self, size=None, low=0.0, high=1.0, ndim=None, dtype=None, nstreams=None,
                target=None):
        """Uniform on (low, high)."""
        low, high = pt.as_tensor_variable(low), pt.as_tensor_variable(high)
        dtype = dtype or upcast(pytensor.config.floatX, low.dtype, high.dtype)
        values = self._draw("uniform", *_shape(size, ndim, low, high), dtype)
        return _same_state(pt.cast(values * (high - low) + low, dtype), values)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None, nstreams=None,
               truncate=False, target=None):
        """Draw with mean `avg` and standard deviation `std`.

        `truncate` draws again what lies more than two standard deviations from the mean, so that
        `TRUNCATED` of `std` is left.
        """
        avg, std = pt.as_tensor_variable(avg), pt.as_tensor_variable(std)
        dtype = dtype or upcast(pytensor.config.floatX, avg.dtype, std.dtype)
        distribution = "truncated_normal" if truncate else "normal"
        values = self._draw(distribution, *_shape(size, ndim, avg, std), dtype)
        return _same_state(pt.cast(values * std + avg, dtype), values)

    def truncated_normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None, nstreams=None,
                         target=None):
        """Do `normal` with `truncate`, of a wider one, so that `std` is what is left after it."""
        return self.normal(size, avg, pt.as_tensor_variable(std) / TRUNCATED, ndim, dtype,
                           truncate=True)

    def poisson(self, size=None, lam=1.0, ndim=None, dtype="int64"):
        """How many events come where `lam` come on average."""
        lam = pt.as_tensor_variable(lam)
        counts = self._draw("poisson", *_shape(size, ndim, lam), "int64", lam)
        return _same_state(pt.cast(counts, dtype), counts)

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64", nstreams=None, prob=None,
                 target=None):
        """How many of `n` trials succeed, each with probability `p`; (0 or 1 for n = 1)."""
        p = pt.as_tensor_variable(p if prob is None else prob)
        size, ndim = _shape(size, ndim, p, pt.as_tensor_variable(n))
        if isinstance(n, int) and n == 1:
            values = self._draw("uniform", size, ndim, pytensor.config.floatX)
            return _same_state(pt.cast(values < p, dtype), values)
        values = self._draw("binomial", size, ndim, pytensor.config.floatX, n, p)
        return _same_state(pt.cast(values, dtype), values)

    def multinomial(self, size=None, n=1, pvals=None, ndim=None, dtype="int64", nstreams=None,
                    target=None):
        """Count each class in `n` draws: (rows, classes), or (*size, classes) for one row."""
        if pvals is None:
            raise TypeError("multinomial: pvals, the probabilities, are missing")
        pvals = pt.as_tensor_variable(pvals)
        if pvals.ndim == 1 and size is not None:
            pvals = pt.alloc(pvals, *_entries(size), pvals.shape[0])
        counts = self._draw("multinomial", (), 0, pytensor.config.floatX, n, pvals,
                            pattern=pvals.type.broadcastable)
        return _same_state(pt.cast(counts, dtype), counts)

    def choice(self, size=1, a=None, replace=True, p=None, ndim=None, dtype="int64", nstreams=None,
               target=None):
        """Draw indices of classes, with probabilities `p`, or elements of `a`.

        Parameters
        ----------
        size : int, or tuple of int
            How many for each row; a tuple of several, or of none, is for `p` of one row.
        a : int or (classes,), optional
            Number of classes, if `p` is not given, or what they are.
        replace : bool
            False draws no class twice.
        p : (rows, classes), or (classes,)
        """
        if a is None and p is None:
            raise TypeError("choice: give a, the number of classes, or p, their probabilities")
        a = None if a is None else pt.as_tensor_variable(a)
        if p is None:
            p = pt.ones(a.shape[0] if a.ndim else a, dtype=pytensor.config.floatX)
        p = pt.as_tensor_variable(p)
        size = () if size is None else size
        shape = size if isinstance(size, list | tuple) else (size,)
        if len(shape) != 1 and p.ndim > 1:
            raise ValueError(f"choice: size={size} for several rows of p; "
                             "give one number, how many for each")
        count = math.prod(shape)
        drawn = self._draw("choice", [count], 1, "int64", p, replace=bool(replace),
                           pattern=(*p.type.broadcastable[:-1], count == 1))
        values = drawn if len(shape) == 1 else drawn.reshape(shape)
        return _same_state(pt.cast(a[values] if a is not None and a.ndim else values, dtype), drawn)

    def multinomial_wo_replacement(self, size=None, n=1, pvals=None, ndim=None, dtype="int64",
                                   nstreams=None, target=None):
        """`n` different classes for each row of `pvals`."""
        return self.choice(n, None, False, pvals, dtype=dtype)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """Integers from `low` to `high`, both among them."""
        low, high = pt.as_tensor_variable(low), pt.as_tensor_variable(high)
        values = self._draw("uniform", *_shape(size, ndim, low, high), "float64")
        return _same_state(pt.cast(pt.floor(values * (high - low + 1)) + low, dtype), values)

    def permutation(self, size=None, n=1, ndim=None, dtype="int64"):
        """Permutations of the numbers below `n`: (*size, n)."""
        values = self._draw("uniform", (*_entries(size if size is not None else ()), n), None,
                            "float64")
        return _same_state(pt.cast(pt.argsort(values, axis=-1), dtype), values)

    def shuffle_row_elements(self, input):
        """Each row of `input` in a random order."""
        order = self.permutation(input.shape[:-1] if input.ndim > 1 else None, input.shape[-1])
        return _same_state(pt.take_along_axis(input, order, axis=-1), order)

    def _new_state(self):
        return shared(self._new_key())

    def _new_key(self):
        return self.gen_seedgen.randint(0, 2**32, 2, dtype="uint32")

    def _draw(self, distribution, size, ndim, dtype, *parameters, pattern=None, **settings):
        """Make a variable of shape `size` with a state of its own."""
        if ndim is None:
            ndim = len(_entries(size)) if isinstance(size, list | tuple | int) else (
                get_vector_length(pt.as_tensor_variable(size)))
        size = pt.as_tensor_variable(_entries(size) if ndim else np.zeros(0), ndim=1)
        size = pt.specify_shape(size.astype("int64"), ndim)
        known = infer_static_shape(size)[1] if ndim else ()
        kind = tensor_type(dtype, pattern or [n == 1 for n in known])
        state = self._new_state()
        next_state, values = apply(random.sample, state, size, *parameters, types=[KEY, kind],
                                   distribution=distribution, dtype=dtype, **settings)
        state.default_update = next_state
        self.state_updates.append((state, next_state))
        values.rng, values.update = state, (state, next_state)
        return values


def _shape(size, ndim, *parameters):
    """`size` and `ndim`, or those of the parameters together if there is no size."""
    if size is not None:
        return size, ndim
    whole = functools.reduce(operator.add, parameters)
    return whole.shape, whole.ndim


def _entries(size):
    """Make of a shape something that a vector can be made of."""
    return size if not isinstance(size, int) else (size,)


def _same_state(variable, source):
    """Theano's random variables carry their state and its update."""
    variable.rng, variable.update = source.rng, source.update
    return variable
