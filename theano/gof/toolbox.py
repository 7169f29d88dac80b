"""What watches a graph while it is rewritten: PyTensor's."""

from pytensor.graph.features import Feature, ReplaceValidate
