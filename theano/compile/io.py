"""Inputs and outputs of functions that have settings besides the variable."""

from pytensor.compile import io


class In(io.In):
    """An input with settings of its own; PyTensor's, with Theano's default values.

    Parameters
    ----------
    variable : Variable
    name : str, optional
    value : array_like, optional
        Taken when the function is called without this input.
    update : Variable, optional
        The value after each call, starting from `value`. The function keeps it; no call gives it.
    """

    def __init__(self, variable, name=None, value=None, update=None, **settings):
        if update is not None and value is None:
            raise TypeError(f"In: {variable} has an update but no value to begin with")
        super().__init__(variable, name=name, update=update, **settings)
        self.default = value


class Out(io.SymbolicOutput):
    """An output; `borrow` is accepted."""


def Param(variable, default=None, name=None, mutable=False, strict=False, allow_downcast=None,
          implicit=None, borrow=None):
    """Make an `In`, by its older name."""
    return In(variable, name, default, mutable=mutable, strict=strict,
              allow_downcast=allow_downcast)
