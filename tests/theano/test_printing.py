"""theano.printing."""

import theano
import theano.tensor as T


def test_printing(tmp_path):
    a, b = T.dscalars("a", "b")
    assert theano.pp(a + b) == "(a + b)"
    text = theano.printing.debugprint(a + b, file="str")
    assert "a" in text and "Add" in text.replace("add", "Add")
