"""theano.function."""

import warnings

from pytensor.compile.maker import function as pytensor_function
from pytensor.compile.rebuild import UnusedInputError
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors

import theano
from theano.compile.mode import get_mode
from theano.compile.sharedvalue import shared, widened
from theano.link.formulas import with_formulas


def function(inputs, outputs=None, mode=None, updates=None, givens=None,
             no_default_updates=False, accept_inplace=False, name=None, rebuild_strict=True,
             allow_input_downcast=None, profile=None, on_unused_input=None):
    """Compile a graph into a callable.

    Parameters
    ----------
    inputs : list of Variable or In
    outputs : Variable, list or dict of Variable, or None
    mode : str or Mode, optional
        'FAST_RUN', 'FAST_COMPILE', 'DebugMode', ... or `theano.config.mode`.
    updates, givens : dict or list of pairs, optional
        New values of shared variables; variables to put in place of others.
    no_default_updates : bool or list of Variable
        Shared variables whose default updates are left out; True for all.
    name : str, optional
    allow_input_downcast, on_unused_input, profile, rebuild_strict, accept_inplace
        As PyTensor has them.

    Returns
    -------
    pytensor.compile.executor.Function
        Takes NumPy arrays, gives NumPy arrays.
    """
    inputs, givens, updates = with_states(inputs, pairs(givens), pairs(updates))
    updates = with_formulas(updates, {variable for variable, _ in givens})
    updates = [(v, widened(new, getattr(v, "type", None))) for v, new in updates]
    keys = None
    if isinstance(outputs, dict):
        keys = sorted(outputs)
        outputs = [outputs[key] for key in keys]
    check_unused(inputs, outputs, updates, givens, on_unused_input)
    compiled = pytensor_function(
        inputs, outputs, mode=get_mode(mode), updates=updates, givens=givens,
        no_default_updates=no_default_updates or None, accept_inplace=accept_inplace, name=name,
        rebuild_strict=rebuild_strict, allow_input_downcast=allow_input_downcast, profile=profile)
    defaults = [(name_of(v), getattr(v, "default", None)) for v in inputs]
    if keys is None and all(value is None for _, value in defaults):
        return compiled
    return Named(compiled, keys, defaults)


def with_states(inputs, givens, updates):
    """Turn inputs that have updates into shared variables of this function alone."""
    states = [v for v in inputs if getattr(v, "update", None) is not None]
    for v in states:
        kind = v.variable.type
        value = kind.filter(v.default, allow_downcast=True)
        state = shared(value, v.name, broadcastable=kind.broadcastable)
        givens, updates = [*givens, (v.variable, state)], [*updates, (state, v.update)]
    return [v for v in inputs if v not in states], givens, updates


class Named:
    """A compiled function whose inputs have default values, or whose outputs have names.

    Parameters
    ----------
    compiled : pytensor.compile.executor.Function
    keys : list of str, or None
        Names of the outputs.
    inputs : list of (str or None, value or None)
        Names of the inputs, and their defaults.
    """

    def __init__(self, compiled, keys, inputs):
        self.compiled, self.keys, self.inputs = compiled, keys, inputs

    def __call__(self, *args, **kwargs):
        """Call it, with default values for inputs that are not given."""
        rest = self.inputs[len(args):]
        args += tuple(kwargs.pop(name) if name in kwargs else value
                      for name, value in rest if name in kwargs or value is not None)
        outputs = self.compiled(*args, **kwargs)
        return outputs if self.keys is None else dict(zip(self.keys, outputs, strict=True))

    def __getattr__(self, name):
        """Hand on what the compiled function has."""
        return getattr(self.compiled, name)

    def __reduce__(self):
        """Copy its parts: otherwise copies would ask `__getattr__` before `compiled` exists."""
        return Named, (self.compiled, self.keys, self.inputs)


def name_of(entry):
    """Return the name of an input."""
    return entry.name or getattr(entry, "variable", entry).name


def check_unused(inputs, outputs, updates, givens, action):
    """Complain about inputs that nothing depends on.

    PyTensor's own check is left out, see `theano.compile.mode.Maker`.
    """
    action = action or theano.config.on_unused_input
    if action == "ignore":
        return
    if action not in ("raise", "warn"):
        raise ValueError(f"on_unused_input={action!r}; choose 'raise', 'warn' or 'ignore'")
    roots = [getattr(v, "variable", v) for v in as_list(outputs)]
    roots += [new for _, new in [*pairs(updates), *pairs(givens)] if isinstance(new, Variable)]
    replaced = {old for old, _ in pairs(givens)}
    used = set(ancestors(roots)) - replaced
    for v in inputs:
        variable = getattr(v, "variable", v)
        if isinstance(variable, Variable) and variable not in used:
            problem = (f"theano.function: the input {variable} is not used to compute the outputs; "
                       "leave it out, or give on_unused_input='ignore'")
            if action == "raise":
                raise UnusedInputError(problem)
            warnings.warn(problem, stacklevel=3)


def as_list(outputs):
    """Make a list of what is symbolic in no output, one or several."""
    several = outputs if isinstance(outputs, list | tuple) else [outputs]
    return [v for v in several if isinstance(getattr(v, "variable", v), Variable)]


def pairs(replacements):
    """Make a list of pairs of a dict or an iterable of pairs."""
    return list(replacements.items() if hasattr(replacements, "items") else replacements or ())
