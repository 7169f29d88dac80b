"""What a graph is made of, and how to walk through it."""

from pytensor.graph import basic
from pytensor.graph.basic import Apply, Constant, clone, clone_get_equiv, equal_computations
from pytensor.graph.traversal import io_toposort, orphans_between, vars_between


class Standing(type):
    """Classes that stand for one of PyTensor's, `of`, with a constructor of Theano's arguments.

    isinstance and issubclass hold for everything that is PyTensor's.
    """

    def __instancecheck__(cls, instance):
        """Ask PyTensor's."""
        return isinstance(instance, cls.of)

    def __subclasscheck__(cls, subclass):
        """Ask PyTensor's."""
        return issubclass(subclass, cls.of)

    def __getattr__(cls, name):
        """Give PyTensor's static methods."""
        return getattr(cls.of, name)


class Variable(metaclass=Standing):
    """A node of a graph. Theano's takes the type alone; PyTensor's needs the owner, too."""

    of = basic.Variable

    def __new__(cls, type, owner=None, index=None, name=None):
        """Make PyTensor's."""
        return basic.Variable(type, owner, index, name)


def ancestors(variable_list, blockers=None):
    """Return the variables and what they are computed from, up to `blockers`, in Theano's order.

    The last variable comes first, then the first input of its node; PyTensor begins with the last
    input. Lasagne orders parameters by it.
    """
    found, waiting = {}, list(variable_list)
    while waiting:
        variable = waiting.pop()
        if variable not in found:
            found[variable] = None
            if variable.owner is not None and variable not in (blockers or ()):
                waiting += reversed(variable.owner.inputs)
    return list(found)


def inputs(variable_list, blockers=None):
    """Return those of `ancestors` that have no owner."""
    return [v for v in ancestors(variable_list, blockers) if v.owner is None]


def is_same_graph(first, second, givens=None):
    """Tell whether two variables stand for the same computation.

    Parameters
    ----------
    first, second : Variable
    givens : dict or list of pairs, optional
        Variables that count as the same.
    """
    pairs = list(dict(givens or {}).items())
    return equal_computations([first], [second], in_xs=[a for a, _ in pairs],
                              in_ys=[b for _, b in pairs])


variables, orphans = vars_between, orphans_between
