"""What a graph is made of."""

import theano


def test_inputs_of_a_graph_come_in_theanos_order():
    x, y, z = (theano.shared(1., name) for name in "xyz")
    assert theano.gof.graph.inputs([(x + y) + z]) == [x, y, z]
    assert theano.gof.graph.inputs([x, z + y]) == [z, y, x]     # the last variable comes first
    assert theano.gof.graph.inputs([x * (y + x) + z]) == [x, y, z]
    total = x + y
    assert theano.gof.graph.ancestors([total + z], [total])[1:] == [total, z]
