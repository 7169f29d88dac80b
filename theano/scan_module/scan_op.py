"""The Op of a loop: PyTensor's, with the names that Theano gave its parts."""

from pytensor.scan.op import Scan

# The graph of one step: its inputs and outputs.
Scan.inputs = property(lambda op: op.inner_inputs)
Scan.outputs = property(lambda op: op.inner_outputs)
