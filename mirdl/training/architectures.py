"""Networks by name: the functions of a module that take (input_var, parameters, numClasses)."""

import difflib
import hashlib
import inspect
import os

from mirdl.errors import UserError

ARGUMENTS = ["input_var", "parameters", "numClasses"]


def networks(module):
    """All networks of a module, by name.

    Parameters
    ----------
    module : module
        For instance buildArchitecture.

    Returns
    -------
    dict of callable
    """
    functions = inspect.getmembers(module, inspect.isfunction)
    return {name: function for name, function in functions
            if list(inspect.signature(function).parameters) == ARGUMENTS}


def find(name, module):
    """The network `name` of a module.

    Raises
    ------
    UserError
        If there is none; it lists those that there are.
    """
    known = networks(module)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}? There" if near else "; there"
        raise UserError(f"DL.type={name} is no network of {os.path.basename(module.__file__)}{hint} "
                        f"are: {', '.join(sorted(known))}")
    return known[name]


def source_hash(name, module):
    """A hash of a network's source, and of that of the functions and values which it uses.

    A model keeps it, so that one can tell whether the network is still the one that was trained.

    Returns
    -------
    str
        SHA-256, in hexadecimal digits.
    """
    todo, sources = [find(name, module)], {}
    while todo:
        function = todo.pop()
        if function.__qualname__ in sources:
            continue
        sources[function.__qualname__] = inspect.getsource(function)
        for used in _names(function.__code__) & set(function.__globals__):
            value = function.__globals__[used]
            if inspect.isfunction(value):
                todo.append(value)
            elif not callable(value) and not inspect.ismodule(value):
                sources[used] = repr(value)     # a plain value, such as a list of filters
    return hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()


def _names(code):
    """The names that a function's code uses, that of the functions inside it included."""
    inside = [_names(constant) for constant in code.co_consts if inspect.iscode(constant)]
    return set(code.co_names).union(*inside)
