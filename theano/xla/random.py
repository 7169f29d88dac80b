"""Random numbers as JAX functions of a key, uint32 of shape (2,)."""

import functools

import jax
import jax.numpy as jnp

from theano.link.host import static, static_shape


def sample(key, size, *parameters, distribution, dtype, **settings):
    """Draw an array, and the key for the next one.

    Parameters
    ----------
    key : (2,) of uint32
    size : (ndim,) of int
        Shape of the array; has to be known while tracing.
    distribution : str
        A name in CONTINUOUS or DISCRETE.
    dtype : str

    Returns
    -------
    next key, array
    """
    next_key, key = jax.random.split(jnp.asarray(key))
    shape = static_shape(size)
    if distribution in CONTINUOUS:
        return next_key, CONTINUOUS[distribution](key, shape=shape, dtype=dtype)
    return next_key, DISCRETE[distribution](key, shape, *parameters, **settings).astype(dtype)


def _binomial(key, shape, n, p):
    return jax.random.binomial(key, n, jnp.asarray(p), shape)


def _poisson(key, shape, lam):
    return jax.random.poisson(key, jnp.asarray(lam), shape)


def _multinomial(key, shape, n, p):
    """p: (..., classes) -> counts of the same shape."""
    logits = jnp.broadcast_to(jnp.log(p), (static(n), *p.shape))
    drawn = jax.random.categorical(key, logits, axis=-1)
    return jax.nn.one_hot(drawn, p.shape[-1]).sum(0)


def _choice(key, shape, p, replace):
    """p: (..., classes) -> (..., shape[0])."""
    count, = shape
    if count > p.shape[-1] and not replace:
        raise ValueError(f"choice: {count} of {p.shape[-1]} classes without replacement")
    logits = jnp.log(p)
    if not replace:
        # The largest of logit plus Gumbel noise are a sample without replacement.
        noise = jax.random.gumbel(key, p.shape, logits.dtype)
        return jax.lax.top_k(logits + noise, count)[1]
    drawn = jax.random.categorical(key, jnp.broadcast_to(logits, (count, *p.shape)), axis=-1)
    return jnp.moveaxis(drawn, 0, -1)


def _uniform(key, shape, dtype):
    """Draw from (0, 1): programs take the logarithm, and Theano's MRG31k3p gives no 0 either."""
    return jax.random.uniform(key, shape, dtype, minval=jnp.finfo(dtype).tiny)


CONTINUOUS = {"uniform": _uniform, "normal": jax.random.normal,
              "truncated_normal": functools.partial(jax.random.truncated_normal, lower=-2, upper=2)}
DISCRETE = {"binomial": _binomial, "multinomial": _multinomial, "choice": _choice,
            "poisson": _poisson}
