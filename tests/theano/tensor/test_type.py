"""Constructors of variables."""

import theano
import theano.tensor as T


def test_constructors_have_theanos_signatures():
    assert T.matrix("a", "float32").dtype == "float32" and T.matrix("a", "float32").name == "a"
    assert T.tensor4().dtype == theano.config.floatX and T.tensor4().ndim == 4
    assert T.tensor("int8", (False, True), "t").broadcastable == (False, True)
    assert T.row().broadcastable == (True, False) and T.col().broadcastable == (False, True)
    assert T.TensorType("float64", (True, False))("v").name == "v"
    assert T.TensorType("float32", [0, 0]) == T.fmatrix == T.TensorType("float32", (False,) * 2)
    assert T.TensorType(broadcastable=(1, 0), dtype="float64", name="t") == T.drow
    assert isinstance(T.fmatrix, T.TensorType) and T.TensorType.values_eq_approx
    assert T.fmatrix("f").type == T.fmatrix and T.ivector().dtype == "int32"


def test_several_variables():
    a, b = T.matrices("ab")
    assert (a.name, b.name, a.broadcastable) == ("a", "b", (False, False))
    assert [v.name for v in T.vectors("u", "v")] == ["u", "v"]
    assert len(T.dscalars(3)) == 3 and T.dscalars("one").__class__ is list
    assert [v.dtype for v in T.imatrices("i", "j")] == ["int32"] * 2
