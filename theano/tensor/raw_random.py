"""Theano's random functions of an explicit state are not there; streams do the same."""

raise ImportError("theano.tensor.raw_random is not supported: use the streams of "
                  "theano.tensor.shared_randomstreams or theano.sandbox.rng_mrg")
