"""theano.tensor: constructors, names, functions of Theano's own."""

import lasagne
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.link.function import SlowPath


def test_constructors_have_theanos_signatures():
    assert T.matrix("a", "float32").dtype == "float32" and T.matrix("a", "float32").name == "a"
    assert T.tensor4().dtype == theano.config.floatX and T.tensor4().ndim == 4
    assert T.tensor("int8", (False, True), "t").broadcastable == (False, True)
    assert T.row().broadcastable == (True, False) and T.col().broadcastable == (False, True)
    assert T.TensorType("float64", (True, False))("v").name == "v"
    assert T.fmatrix("f").type == T.fmatrix and T.ivector().dtype == "int32"


def test_several_variables():
    a, b = T.matrices("ab")
    assert (a.name, b.name, a.broadcastable) == ("a", "b", (False, False))
    assert [v.name for v in T.vectors("u", "v")] == ["u", "v"]
    assert len(T.dscalars(3)) == 3 and T.dscalars("one").__class__ is list
    assert [v.dtype for v in T.imatrices("i", "j")] == ["int32"] * 2


def test_shared_variables_and_constants_are_no_tensor_variables():
    assert isinstance(T.vector(), T.TensorVariable)
    assert isinstance(T.vector() * 2, T.TensorVariable)
    assert not isinstance(theano.shared(np.zeros(2)), T.TensorVariable)
    assert not isinstance(T.constant(1.), T.TensorVariable)
    assert isinstance(T.constant(1.), T.TensorConstant)
    assert isinstance(theano.shared(1.), T.sharedvar.TensorSharedVariable)
    assert all(isinstance(v, theano.Variable) for v in (T.vector(), theano.shared(1.)))
    assert theano.Variable(T.dvector).type == T.dvector


def test_every_variable_is_there_but_a_comparison_is_undecided():
    v = T.vector()
    assert all(map(bool, (v, v.sum(), theano.shared(0.), T.constant(0.), v.shape)))
    for undecided in v > 0, T.eq(v, v), v[0] <= 1:
        with pytest.raises(TypeError, match="neither True nor False"):
            bool(undecided)


def test_missing_names_are_named():
    with pytest.raises(AttributeError, match="theano.tensor has no 'matrixx'; did you mean"):
        _ = T.matrixx
    with pytest.raises(ImportError, match="raw_random is not supported"):
        import theano.tensor.raw_random  # noqa: F401


def test_the_variance_and_the_module_of_its_name():
    from theano.tensor.var import TensorVariable
    assert TensorVariable is T.TensorVariable and T.var(T.constant([1., 3.])).eval() == 1


def test_basic_has_nearly_all_of_theano_tensor():
    from theano.tensor.basic import TensorType, arange, constant, join, log, matrix
    assert (TensorType, arange, constant) == (T.TensorType, T.arange, T.constant)
    assert (join, log, matrix) == (T.join, T.log, T.matrix)
    with pytest.raises(AttributeError, match="theano.tensor has no 'matrixx'"):
        _ = T.basic.matrixx


def test_tile_with_more_dimensions():
    x = T.constant(np.eye(2))
    np.testing.assert_array_equal(T.tile(x, (2,), ndim=3).eval(), np.tile(np.eye(2), (1, 1, 2)))
    assert T.tile(x, 2).eval().shape == T.tile(x, (1, 2), ndim=2).eval().shape == (2, 4)
    with pytest.raises(ValueError, match="ndim=1, but"):
        T.tile(x, (2, 1), ndim=1)


def test_star_import():
    names = {}
    exec("from theano.tensor import *", names)
    assert names["matrix"] is T.matrix and names["log"] is T.log and "set_subtensor" in names


def test_batched_products():
    rng = np.random.RandomState(0)
    a, b = rng.rand(3, 4, 5), rng.rand(3, 5, 2)
    for left, right, rule in ((a, b, "ijk,ikl->ijl"), (a[:, 0], b, "ik,ikl->il"),
                              (a, b[..., 0], "ijk,ik->ij"), (a[:, 0], b[..., 0], "ik,ik->i")):
        np.testing.assert_allclose(T.batched_dot(left, right).eval(), np.einsum(rule, left, right))
    np.testing.assert_allclose(T.batched_tensordot(a, b, [[2], [1]]).eval(),
                               np.einsum("ijk,ikl->ijl", a, b))
    T.verify_grad(T.batched_dot, [a, b], rng=np.random)


def test_functions_that_only_theano_has():
    v = np.array([3., 1, 2])
    assert T.topk(v, 2).eval().tolist() == [2, 3] and T.argtopk(v, 2).eval().tolist() == [2, 0]
    assert T.topk(v, -2).eval().tolist() == [1, 2]
    assert T.to_one_hot(T.constant([0, 2]), 3).eval().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert T.stack(T.constant(1.), T.constant(2.)).eval().tolist() == [1, 2]
    assert T.abs_(T.constant(-1.)).eval() == 1 and T.inv(T.constant(2.)).eval() == 0.5
    assert T.flatten(T.constant(np.zeros((2, 3, 4))), outdim=2).eval().shape == (2, 12)
    assert T.unbroadcast(T.row(), 0).broadcastable == (False, False)
    assert T.patternbroadcast(T.matrix(), (False, True)).broadcastable == (False, True)
    assert T.default(None, 3).eval() == 3
    assert float(T.norm(T.constant([3., 4.])).eval()) == 5


def test_linear_algebra():
    a = np.array([[4., 1], [1, 3]])
    np.testing.assert_allclose(T.nlinalg.matrix_inverse(a).eval(), np.linalg.inv(a))
    np.testing.assert_allclose(T.nlinalg.det(a).eval(), 11)
    factor = T.slinalg.cholesky(a)
    np.testing.assert_allclose(factor.dot(factor.T).eval(), a)
    np.testing.assert_allclose(T.slinalg.solve_lower_triangular(factor, factor).eval(), np.eye(2),
                               atol=1e-12)
    np.testing.assert_allclose(T.nlinalg.svd(T.constant(a), compute_uv=False).eval(),
                               np.linalg.svd(a, compute_uv=False))


def logistic(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("expression, gradient", [
    (lambda z: T.log(T.nnet.softmax(z))[:, 0], None),
    (lambda z: T.log(T.nnet.sigmoid(z)), lambda z: 1 - logistic(z)),
    (lambda z: T.log(1 - T.nnet.sigmoid(z)), lambda z: -logistic(z)),
    (lambda z: T.log(1 + T.exp(z)), logistic),
    (lambda z: T.nnet.binary_crossentropy(T.nnet.sigmoid(z), 1), lambda z: logistic(z) - 1),
])
def test_logarithms_do_not_overflow_nor_do_their_gradients(expression, gradient):
    z = T.dmatrix()
    values = np.array([[0., 800., -3.], [-600., 600., 0.]])
    value, slope = theano.function([z], [expression(z), T.grad(expression(z).sum(), z)])(values)
    assert np.isfinite(value).all() and np.isfinite(slope).all()
    if gradient:
        np.testing.assert_allclose(slope, gradient(values), atol=1e-12)
    elif gradient is None:
        np.testing.assert_allclose(value, [-800, -1200])
        np.testing.assert_allclose(slope.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_probabilities_stay_in_the_graph(mode):
    z, y, q = T.dmatrix("z"), T.ivector("y"), T.dmatrix("q")
    p = T.nnet.softmax(z)
    loss = T.nnet.categorical_crossentropy(p, y)
    half = np.array([[0.5, 0.25, 0.25]])
    np.testing.assert_allclose(theano.function([p, y], loss, mode=mode)(half, [1]), np.log(4))
    f = theano.function([q, y], loss, givens={p: q}, mode=mode)
    np.testing.assert_allclose(f(half, [1]), np.log(4))
    slope = theano.function([z, y], T.grad(loss.sum(), p), mode=mode)(np.log(half), [1])
    np.testing.assert_allclose(slope, [[0, -4, 0]])


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_gradients_through_probabilities_used_twice_are_finite(mode):
    z = T.dmatrix("z")
    values = np.array([[0., 800., -3.], [-600., 600., 40.]])
    targets = np.array([[1, 0.5, 0], [1, 0, 1]])
    p = T.nnet.softmax(z)
    loss = T.nnet.categorical_crossentropy(p, np.array([0, 2], "int32")).sum() + 3 * p.sum()
    slope = theano.function([z], T.grad(loss, z), mode=mode)(values)
    np.testing.assert_allclose(slope, [[-1, 1, 0], [0, 1, -1]], atol=1e-12)
    o = T.nnet.sigmoid(z)
    inside, _ = theano.scan(lambda v, t: T.nnet.binary_crossentropy(T.nnet.sigmoid(v), t),
                            sequences=[z, T.constant(targets)])
    for loss in T.nnet.binary_crossentropy(o, targets), inside:
        slope = theano.function([z], T.grad(loss.sum(), z), mode=mode)(values)
        np.testing.assert_allclose(slope, logistic(values) - targets, atol=1e-12)
    slope = theano.function([z], T.grad(T.log(o).sum(), z), mode=mode)(values)
    np.testing.assert_allclose(slope, logistic(-values), rtol=1e-12)    # 1 - sigmoid(40) is 4e-18
    w = theano.shared(values)
    slope = T.grad(T.log(1 - T.nnet.sigmoid(w)).sum(), w)
    theano.function([], updates=[(w, w - slope)], mode=mode)()
    np.testing.assert_allclose(w.get_value(), values + logistic(values), rtol=1e-12)


def test_a_probability_is_looked_for_once_in_each_part_of_a_product():
    z = T.dvector()
    p = T.nnet.sigmoid(z)
    power = 1 / p
    for _ in range(60):
        power = power * power
    # PyTensor's own rewrites would take for ever.
    assert theano.function([z], power * p, mode="FAST_COMPILE")([800.]) == 1
    assert theano.function([z], (2 / p + z) * p)([-800.]) == 2


def test_gradient_helpers():
    z = T.dscalar()
    f = theano.function([z], [
        T.grad(theano.gradient.grad_clip(z, -1, 1) ** 2, z),
        T.grad(theano.gradient.disconnected_grad(z) * z, z),
        T.grad(theano.gradient.zero_grad(z) * z, z),
        T.grad(theano.gradient.consider_constant(z) * z, z),
        T.grad(z ** 3, z, known_grads=None),
        T.jacobian(T.stack([z, z ** 2]), z)[1],
        T.Rop(z ** 2, z, T.constant(2.)), T.Lop(z ** 2, z, T.constant(2.))])
    assert [float(v) for v in f(3.)] == [1, 3, 3, 3, 27, 6, 12, 12]
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(T.dscalar() * 2, z)


def test_ifelse():
    z = T.dscalar()
    f = theano.function([z], theano.ifelse.ifelse(z > 0, z * 2, z - 1))
    assert f(3.) == 6 and f(-3.) == -4
    gradient = theano.function([z], T.grad(theano.ifelse.ifelse(z > 0, z * 2, z - 1), z))
    assert gradient(3.) == 2 and gradient(-3.) == 1


def test_ifelse_of_different_shapes():
    z = T.dvector()
    f = theano.function([z], theano.ifelse.ifelse(z[0] > 0, z, z[1:]))
    with pytest.warns(SlowPath, match="not compiled"):
        assert f([1., 2.]).tolist() == [1, 2]
    assert f([-1., 2.]).tolist() == [2]


def test_printing(tmp_path):
    a, b = T.dscalars("a", "b")
    assert theano.pp(a + b) == "(a + b)"
    text = theano.printing.debugprint(a + b, file="str")
    assert "a" in text and "Add" in text.replace("add", "Add")


def test_updates_join():
    a, b = theano.shared(1.), theano.shared(2.)
    joined = theano.OrderedUpdates({a: a + 1}) + theano.OrderedUpdates({b: b + 1})
    assert list(joined) == [a, b]
    with pytest.raises(KeyError, match="different updates"):
        joined + theano.OrderedUpdates({a: a + 2})
    with pytest.raises(TypeError, match="shared"):
        joined[T.dscalar()] = 1


def test_adam_of_lasagne_runs():
    w = theano.shared(np.array([1., -2.]))
    step = theano.function([], (w ** 2).sum(), updates=lasagne.updates.adam((w ** 2).sum(), [w],
                                                                            learning_rate=0.1))
    losses = [float(step()) for _ in range(50)]
    assert losses[-1] < 0.01 * losses[0]
