"""Settings changed for a while."""

import contextlib

import theano


class change_flags(contextlib.ContextDecorator):
    """Context manager and decorator: `theano.config` with other values; names with dots in a dict."""

    def __init__(self, settings=None, **more):
        self.settings = {**(settings or {}), **more}
        self.before = []

    def __enter__(self):
        self.before.append({name: getattr(theano.config, name) for name in self.settings})
        for name, value in self.settings.items():
            setattr(theano.config, name, value)

    def __exit__(self, *error):
        for name, value in self.before.pop().items():
            setattr(theano.config, name, value)
