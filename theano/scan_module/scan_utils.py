"""Names that scripts import from here."""

from pytensor.graph.basic import equal_computations
from pytensor.graph.replace import clone_replace
from pytensor.scan.utils import until


def clone(output, replace=None, strict=True, share_inputs=True):
    """Copy a graph.

    Parameters
    ----------
    output : Variable or list of Variable
    replace : dict or list of pairs, optional
        Variables to put in place of others.
    strict : bool
        Must these have the same type?
    share_inputs : bool
        False copies the inputs, too. A copy of a shared variable shares its value, and may have a
        default update of its own.
    """
    return clone_replace(output, replace, rebuild_strict=strict, copy_inputs_over=share_inputs)
