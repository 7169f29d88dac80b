import jax.numpy as jnp
import numpy as np
import pytest
from conftest import optional
from jax import lax

onnx = optional("onnx")
graph = optional("mirdl.export.graph")

W = np.random.RandomState(0).normal(size=(3, 5)).astype(np.float32)


@pytest.fixture
def agrees():
    """Convert a function of one chunk, (4, 6), and compare it with ONNX Runtime for 1 and 3."""
    def check(function):
        model = graph.converted(function, {"x": (4, 6)})
        onnx.checker.check_model(model, full_check=True)
        for chunks in (1, 3):
            x = np.random.RandomState(chunks).normal(size=(chunks, 4, 6)).astype(np.float32)
            expected = np.stack([function(one) for one in x])
            np.testing.assert_allclose(graph.computed(model, [x]), expected, atol=1e-5)
        return model
    return check


@pytest.mark.parametrize("ends", [
    ((1, 2, 0), (0, 3, 0)), ((-1, 0, 0), (0, -2, 0)), ((-1, 2, 0), (3, -2, 0)),
    ((0, 0, 0), (0, 0, 0))])
def test_padding_adds_and_cuts_off(agrees, ends):
    agrees(lambda x: lax.pad(x, jnp.float32(7), ends) * 2)


def test_sizes_are_numbers_and_nothing_counts_the_chunks(agrees):
    model = agrees(lambda x: (x.reshape(2, 12).T.reshape(8, 3) @ W).reshape(-1))
    assert "Shape" not in {node.op_type for node in model.graph.node}


def test_what_depends_on_weights_alone_is_computed_before(agrees):
    model = agrees(lambda x: x[:, :3] @ jnp.flip(jnp.sin(W), 0))
    assert "Sin" not in {node.op_type for node in model.graph.node}


def test_inputs_and_output_have_their_names_and_chunks_in_front():
    model = graph.converted(lambda x, mean: x.sum() - mean, {"x": (4, 6), "mean": ()})

    def shapes(values):
        return {value.name: [dim.dim_param or dim.dim_value
                             for dim in value.type.tensor_type.shape.dim] for value in values}
    assert shapes(model.graph.input) == {"x": ["chunks", 4, 6], "mean": ["chunks"]}
    assert shapes(model.graph.output) == {"probabilities": ["chunks"]}
    assert [each.version for each in model.opset_import] == [18] and model.ir_version == 8
