"""What Theano tried out: its first GPU backend, another generator of random numbers."""

from theano.sandbox import cuda, linalg
