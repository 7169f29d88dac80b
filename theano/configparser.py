"""Settings changed for a while."""

import contextlib

import theano


class change_flags(contextlib.ContextDecorator):
    """`theano.config` with other values, for a block or a function.

    Names with dots come in a dict, or in a list of pairs.
    """

    def __init__(self, settings=None, **more):
        self.settings = {**dict(settings or {}), **more}
        self.before = []

    def __enter__(self):
        """Change the settings."""
        self.before.append({name: getattr(theano.config, name) for name in self.settings})
        for name, value in self.settings.items():
            setattr(theano.config, name, value)

    def __exit__(self, *error):
        """Set them back."""
        for name, value in self.before.pop().items():
            setattr(theano.config, name, value)
