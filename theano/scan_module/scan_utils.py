"""Names that scripts import from here."""

from pytensor.graph.basic import equal_computations
from pytensor.graph.replace import clone_replace as clone
from pytensor.scan.utils import until
