"""What frameworks on Theano ask for: classes, modules, static methods, rewrites of their own."""

import warnings

import numpy as np
import pytest
import scipy.sparse

import theano
import theano.sandbox.cuda.dnn
import theano.sandbox.linalg
import theano.sparse as S
import theano.tensor as T
from theano.compile import pfunc
from theano.gof import OpRemove, local_optimizer
from theano.gof.null_type import NullType
from theano.link.function import SlowPath
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.scalar.basic import UnaryScalarOp, same_out_nocomplex
from theano.scan_module.scan_op import Scan
from theano.tensor import blas, inplace
from theano.tensor.nnet import Softmax, conv, logsoftmax_op, neighbours, softmax_op
from theano.tensor.opt import register_canonicalize
from theano.tensor.shared_randomstreams import RandomStateSharedVariable, RandomStreams
from theano.tensor.sharedvar import SharedVariable
from theano.tensor.signal.downsample import DownsampleFactorMax
from theano.tensor.signal.pool import Pool, pool_2d

v, m = T.dvector("v"), T.dmatrix("m")


def test_the_op_of_a_scan_has_the_graph_of_a_step():
    out, _ = theano.scan(lambda x, s: x + s, sequences=v, outputs_info=T.zeros((), "float64"))
    node = out.owner
    while not isinstance(node.op, Scan):
        node = node.inputs[0].owner
    [step], inputs = node.op.outputs, node.op.inputs
    assert step.eval(dict(zip(inputs, (2.0, 3.0), strict=True))) == 5


@pytest.mark.parametrize("order, shape", [((1, "x", 0), (3, 1, 2)), ((0, 1), (2, 3))])
def test_dimshuffle_takes_theanos_arguments(order, shape):
    for settings in (), (True,):
        y = T.DimShuffle((False, False), order, *settings)(m)
        assert y.eval({m: np.ones((2, 3))}).shape == shape
    assert isinstance(m.dimshuffle(1, 0).owner.op, T.DimShuffle)
    assert not isinstance(T.exp(m).owner.op, T.DimShuffle)


def test_pfunc_is_the_function():
    n = theano.shared(0.0)
    assert pfunc([v], v * 2, updates=[(n, n + 1)])([3.0]).tolist() == [6]
    assert n.get_value() == 1


def test_local_bitwidth():
    assert theano.configdefaults.local_bitwidth() == 64


def test_states_of_random_variables_are_told_from_other_shared_variables():
    drawn, other = RandomStreams(1).uniform((2,)), MRG_RandomStreams(1).uniform((2,))
    assert isinstance(drawn.rng, RandomStateSharedVariable)
    assert isinstance(theano.shared(1.0), SharedVariable)
    for no_state in (theano.shared(1.0), other.rng):
        assert not isinstance(no_state, RandomStateSharedVariable)
    f = theano.function([], drawn)
    assert (f() != f()).all()


@pytest.mark.parametrize("streams", [RandomStreams(1), MRG_RandomStreams(1)])
@pytest.mark.parametrize("draw", ["uniform", "normal", "binomial", "poisson"])
def test_shapes_of_unknown_length_with_ndim(streams, draw):
    size = T.lvector("size")
    variable = getattr(streams, draw)(size=size, ndim=2)
    assert variable.ndim == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # a SlowPath: the shape is an input
        assert theano.function([size], variable)([2, 3]).shape == (2, 3)


class Away(theano.compile.ViewOp):
    """As Theano's programs write a variable without a gradient."""

    def grad(self, inputs, output_grads):
        return [output_grads[0].zeros_like()]


class Nothing(theano.Op):
    """An Op that can't be computed, and has to be removed."""

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def grad(self, inputs, output_grads):
        return [output_grads[0] * 10]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_a_rewrite_that_removes_an_op_is_applied(mode):
    away, nothing = Away(), Nothing()
    register_canonicalize(OpRemove(away), name=f"remove_away_{mode}")
    theano.compile.optdb["canonicalize"].register(
        f"remove_nothing_{mode}", OpRemove(nothing), "fast_run")
    x = T.dscalar("x")
    assert theano.function([x], away(x) * 2, mode=mode)(3) == 6
    assert theano.function([x], T.grad(away(x) * 2 + x, x), mode=mode)(3) == 1
    assert theano.function([x], nothing(x) * 2, mode=mode)(3) == 6
    assert theano.function([x], T.grad(nothing(x) * 2, x), mode=mode)(3) == 20
    steps, _ = theano.map(lambda x: nothing(x) * 2, v)
    assert theano.function([v], steps, mode=mode)([1, 2]).tolist() == [2, 4]


def test_other_rewrites_are_named_in_a_warning():
    with pytest.warns(UserWarning, match="'faster' is not applied"):
        @register_canonicalize("fast_run")
        @local_optimizer([T.add])
        def faster(node):
            raise AssertionError
    assert theano.function([v], v + v)([1.0]).tolist() == [2]


class Straight(UnaryScalarOp):
    """BinaryNet's rounding: C code, a Python function, and a gradient of its own."""

    def c_code(self, node, name, inputs, outputs, sub):
        return f"{outputs[0]} = round({inputs[0]});"

    def grad(self, inputs, gout):
        return gout


def straight():
    return Straight(same_out_nocomplex, name="straight")


def check_straight(op):
    rounded = T.Elemwise(op)(v)
    assert theano.function([v], rounded)([-0.9, 0.2]).tolist() == [-1, 0]
    assert theano.function([v], T.grad((rounded ** 2).sum(), v))([-0.9, 0.2]).tolist() == [-2, 0]


def test_a_scalar_op_of_ones_own_runs_by_impl():
    op = straight()
    op.impl = np.round
    with pytest.warns(SlowPath, match="Straight") as warned:
        check_straight(op)
    assert len(warned) == 2     # one for each function


def test_a_scalar_op_that_names_a_function_of_numpys_is_compiled(compiled_only):
    op = straight()
    op.nfunc_spec = "round", 1, 1
    check_straight(op)


@pytest.mark.parametrize("loop", [False, True])
def test_a_scalar_op_of_c_code_alone_is_refused(loop):
    rounded = T.Elemwise(straight())
    y = theano.map(lambda x: rounded(x), v)[0] if loop else rounded(v)
    with pytest.raises(theano.gof.utils.MethodNotDefined, match=r"straight .*write impl\(\)"):
        theano.function([v], y)


def test_softmax_as_an_op():
    assert isinstance(T.nnet.softmax(m).owner.op, Softmax)
    rows = np.log([[1.0, 3.0], [1, 1]])
    np.testing.assert_allclose(softmax_op(m).eval({m: rows}), [[0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(softmax_op(v).eval({v: rows[0]}), [[0.25, 0.75]])
    np.testing.assert_allclose(logsoftmax_op(m).eval({m: rows}), np.log([[0.25, 0.75], [0.5, 0.5]]))


def test_sparse_names():
    x = S.csr_matrix("x", dtype="float64")
    sparse = scipy.sparse.csr_matrix(np.eye(2))
    product = theano.function([x, m], S.basic.structured_dot(x, m))
    assert product(sparse, [[2, 3], [4, 5]]).tolist() == [[2, 3], [4, 5]]
    assert isinstance(x, S.SparseVariable) and isinstance(x.type, S.SparseType)
    assert isinstance(S.shared(sparse), S.SparseTensorSharedVariable)
    assert S.basic._is_sparse_variable(x) and not S.basic._is_sparse_variable(m)


@pytest.mark.parametrize("window, ignore, stride, pad", [
    ((2, 3), True, None, None), ((2, 3), False, (1, 2), None), ((3, 3), True, (2, 2), (1, 1)),
    ((2, 2), False, (3, 3), None)])
def test_shapes_of_pooling(window, ignore, stride, pad):
    x = np.zeros((1, 2, 7, 9))
    found = pool_2d(T.constant(x), window, ignore, stride, pad or (0, 0)).eval().shape
    assert tuple(Pool.out_shape(x.shape, window, ignore, stride, pad)) == found
    assert DownsampleFactorMax.out_shape(x.shape, ds=window, ignore_border=ignore, st=stride,
                                         padding=pad) == list(found)
    n = T.lscalar("n")
    symbolic = Pool.out_shape((1, 2, n, 9), window, ignore, stride, pad)
    assert (symbolic[2].eval({n: 7}), symbolic[3]) == found[2:]
    assert Pool(ignore)(T.constant(x), window, stride, pad).eval().shape == found


@pytest.mark.parametrize("mode, stride", [("valid", (1, 1)), ("full", (2, 3)), ("valid", (2, 3))])
def test_shapes_of_convolution(mode, stride):
    image, filters = np.zeros((2, 1, 8, 9)), np.zeros((4, 1, 3, 2))
    found = T.nnet.conv2d(T.constant(image), T.constant(filters), border_mode=mode,
                          subsample=stride).eval().shape
    assert conv.ConvOp.getOutputShape((8, 9), (3, 2), stride, mode) == found[2:]
    for dnn in theano.sandbox.cuda.dnn, theano.gpuarray.dnn:
        shape = dnn.GpuDnnConv.get_out_shape(image.shape, filters.shape, mode, stride)
        assert tuple(shape) == found


def test_modules():
    assert inplace.exp_inplace(v).eval({v: [0.0]}).tolist() == [1]
    assert blas.batched_dot is T.batched_dot and blas.Gemm and blas._dot22
    linalg = theano.sandbox.linalg
    matrix = np.array([[2.0, 0], [0, 5]])
    assert linalg.det(linalg.psd(m)).eval({m: matrix}) == pytest.approx(10)
    assert linalg.ops.matrix_inverse(m).eval({m: matrix})[0, 0] == 0.5
    assert linalg.ops.MatrixInverse
    assert isinstance(theano.gradient.grad_undefined(T.exp, 0, v).type, NullType)


def test_names_for_ops_of_ones_own():
    assert T.Tensor("int8", [True, False])().type.shape == (1, None)
    assert T.hashtype(straight()) == T.hashtype(straight()) != T.hashtype(Away())


def test_a_function_with_a_profile():
    f = theano.function([v], v * 2, profile=True)
    assert isinstance(f.profile, theano.compile.profiling.ProfileStats)
    assert f([1.0]).tolist() == [2] and f.profile.fct_callcount == 1


def test_dtypes_are_lists():
    assert [*T.discrete_dtypes, *T.float_dtypes, *T.complex_dtypes] == T.all_dtypes
    assert T.int_dtypes + T.uint_dtypes == T.integer_dtypes == T.discrete_dtypes[1:]


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_by_a_sorter(side):
    values, wanted = np.array([3.0, 1, 2]), np.array([0.5, 1, 2.5])
    found = T.extra_ops.searchsorted(v, wanted, side, T.argsort(v)).eval({v: values})
    assert found.tolist() == np.searchsorted(values, wanted, side, np.argsort(values)).tolist()


def windows_of(x, shape, step, mode):
    """The definition, one element at a time."""
    low = {"wrap_centered": [n // 2 for n in shape], "half": [n // 2 for n in shape],
           "full": [n - 1 for n in shape]}.get(mode, (0, 0))
    counts = [-(-size // s) if mode == "wrap_centered" else (size + 2 * before - n) // s + 1
              for size, n, s, before in zip(x.shape[2:], shape, step, low, strict=True)]
    rows = []
    for plane in x.reshape(-1, *x.shape[2:]):
        for first in np.ndindex(*counts):
            row = []
            for tap in np.ndindex(*shape):
                at = [f * s + t - b for f, s, t, b in zip(first, step, tap, low, strict=True)]
                if mode == "wrap_centered":
                    at = [a % n for a, n in zip(at, plane.shape, strict=True)]
                inside = all(0 <= a < n for a, n in zip(at, plane.shape, strict=True))
                row.append(plane[tuple(at)] if inside else 0)
            rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("mode, shape, step", [
    ("wrap_centered", (3, 3), (1, 1)), ("wrap_centered", (5, 3), (2, 3)),
    ("half", (3, 2), (1, 1)), ("half", (2, 3), (2, 2)), ("full", (2, 2), (1, 1)),
    ("full", (3, 3), (1, 2)), ("valid", (2, 3), (1, 2)), ("ignore_borders", (2, 2), (2, 2))])
def test_modes_of_neighbourhoods(mode, shape, step):
    x = np.arange(2 * 3 * 5 * 7.0).reshape(2, 3, 5, 7) + 1
    if mode == "half" and step == (2, 2):
        x = x[:, :, :4]
    found = neighbours.images2neibs(T.constant(x), shape, step, mode).eval()
    np.testing.assert_array_equal(found, windows_of(x, shape, step, mode))


@pytest.mark.parametrize("mode, shape, step", [
    ("wrap_centered", (2, 3), (1, 1)), ("wrap_centered", (7, 3), (1, 1)), ("half", (2, 2), (2, 2)),
    ("full", (3, 2), (5, 1)), ("valid", (2, 2), (2, 2))])
def test_windows_that_do_not_fit(mode, shape, step):
    with pytest.raises(TypeError, match=r"images2neibs: .*\(5, 7\)"):
        neighbours.images2neibs(T.zeros((1, 1, 5, 7)), shape, step, mode).eval()


def test_back_to_images_with_zeros_at_the_border():
    x = np.arange(2 * 5 * 7.0).reshape(1, 2, 5, 7) + 1
    rows = neighbours.images2neibs(T.constant(x), (2, 3), mode="ignore_borders")
    back = neighbours.neibs2images(rows, (2, 3), x.shape, mode="ignore_borders").eval()
    expected = x.copy()
    expected[:, :, 4:], expected[:, :, :, 6:] = 0, 0
    np.testing.assert_array_equal(back, expected)
