"""Networks by name: the functions of a module that take (input_var, parameters, numClasses)."""

import difflib
import hashlib
import inspect
import linecache
import os
from collections.abc import Callable
from types import CodeType, ModuleType

from mirdl.errors import UserError

ARGUMENTS = ["input_var", "parameters", "numClasses"]


def networks(module: ModuleType) -> dict[str, Callable]:
    """Find all networks of a module.

    Parameters
    ----------
    module : module
        For instance buildArchitecture.

    Returns
    -------
    dict of callable
        By name.
    """
    functions = inspect.getmembers(module, inspect.isfunction)
    return {name: function for name, function in functions
            if list(inspect.signature(function).parameters) == ARGUMENTS}


def find(name: str, module: ModuleType) -> Callable:
    """Find the network `name` of a module.

    Raises
    ------
    UserError
        If there is none; it lists those that there are.
    """
    known = networks(module)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}? There" if near else "; there"
        file = os.path.basename(module.__file__)
        raise UserError(f"DL.type={name} is not a network of {file}{hint} are: "
                        f"{', '.join(sorted(known))}")
    return known[name]


def keep_source(module: ModuleType) -> None:
    """Let `source_hash` see a module as it was imported, even if its file is edited afterwards.

    A cluster's worker runs for long: it must not take a network that it imported earlier for the
    one in the file. An entry of linecache without a time is never read anew.
    """
    file = inspect.getsourcefile(module)
    lines = linecache.getlines(file)
    linecache.cache[file] = len("".join(lines)), None, lines, file


def source_hash(name: str, module: ModuleType) -> str:
    """Hash the source of a network, and of what it uses of its module.

    These are functions, classes (own layers) and values (lists of filters, options). A
    model keeps the hash, so that one can tell whether the network is still the one that was
    trained.

    Returns
    -------
    str
        SHA-256, in hexadecimal digits.
    """
    todo, sources = [find(name, module)], {}
    while todo:
        used = todo.pop()
        if used.__qualname__ in sources:
            continue
        sources[used.__qualname__] = inspect.getsource(used)
        for key, value in _used_globals(used):
            if inspect.isfunction(value) or _is_own_class(value, used.__module__):
                todo.append(value)
            elif not callable(value) and not inspect.ismodule(value):
                sources[key] = _describe(value)
    return hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()


def _used_globals(used: Callable | type) -> list[tuple[str, object]]:
    """List the names of its module that a function, or the methods of a class, use."""
    members = vars(used).values() if inspect.isclass(used) else [used]
    functions = [getattr(member, "__func__", member) for member in members]
    functions = [function for function in functions if inspect.isfunction(function)]
    found = {key: function.__globals__[key] for function in functions
             for key in _names(function.__code__) & set(function.__globals__)}
    if inspect.isclass(used):
        bases = [base for base in used.__bases__ if _is_own_class(base, used.__module__)]
        found.update((base.__qualname__, base) for base in bases)
    return list(found.items())


def _is_own_class(value: object, module: str) -> bool:
    return inspect.isclass(value) and value.__module__ == module


def _describe(value: object) -> str:
    """Write a value as repr does, but an object by its class and attributes, not its address."""
    if type(value) in (list, tuple, set, frozenset):
        parts = map(_describe, sorted(value, key=repr) if isinstance(value, set) else value)
        start, end = {list: "[]", tuple: "()"}.get(type(value), "{}")
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"{start}{', '.join(parts)}{comma}{end}"
    if type(value) is dict:
        pairs = [f"{_describe(key)}: {_describe(inner)}" for key, inner in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"{value.__module__}.{value.__qualname__}"
    if type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__"):
        return f"{type(value).__module__}.{type(value).__qualname__}{_describe(vars(value))}"
    return repr(value)


def _names(code: CodeType) -> set[str]:
    """List the names that a function's code uses, with those of the functions inside it."""
    inside = [_names(constant) for constant in code.co_consts if inspect.iscode(constant)]
    return set(code.co_names).union(*inside)
