"""Which device is chosen, and what it is told; GPUs are made up, as few test machines have one."""

import os
import re

import jax
import pytest

from theano import device


class Card:
    platform = "gpu"

    def __init__(self, number, device_kind="NVIDIA H200"):
        self.id, self.device_kind = number, device_kind

    def __str__(self):
        return f"CudaDevice(id={self.id})"


@pytest.fixture
def cards(monkeypatch):
    """Two cards, and what would be set in JAX."""
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
    there, found = jax.devices, [Card(0), Card(1, "NVIDIA L4")]
    monkeypatch.setattr(jax, "devices",
                        lambda platform=None: there("cpu") if platform == "cpu" else found)
    settings = {}
    monkeypatch.setattr(jax.config, "update", settings.__setitem__)
    return settings


@pytest.mark.parametrize("name, kind, number", [
    ("gpu", "NVIDIA H200", 0), ("cuda", "NVIDIA H200", 0), ("cuda0", "NVIDIA H200", 0),
    ("gpu1", "NVIDIA L4", 1), ("cuda1", "NVIDIA L4", 1)])
def test_a_card_is_chosen_by_number_and_its_name_printed(cards, capsys, flags, name, kind, number):
    device.use(flags(f"device={name},floatX=float32"))
    assert capsys.readouterr().err == f"Using device gpu{number} ({kind}), floatX=float32\n"
    assert cards["jax_default_device"].id == number


def test_a_number_too_high_is_answered_with_the_cards_that_are_there(cards, capsys):
    expected = (r"device=cuda2: .*\(id=0\) \(NVIDIA H200\), .*\(id=1\) \(NVIDIA L4\)"
                ".*device=cpu$")
    with pytest.raises(RuntimeError, match=expected):
        device.choose("cuda2", force=True)
    assert device.choose("cuda2", force=False).platform == "cpu"
    [line] = capsys.readouterr().err.splitlines()
    assert re.match(expected, line) and "the CPU is used instead" in line


def test_a_cards_memory_is_taken_as_needed(cards, flags, monkeypatch):
    device.use(flags("device=gpu"))
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false" and "jax_platforms" not in cards
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    device.use(flags("device=gpu"))
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true"


@pytest.mark.parametrize("text, precision", [
    ("", "float32"), (",nvcc.fastmath=True", "tensorfloat32")])
def test_the_precision_of_a_gpus_products(cards, flags, text, precision):
    device.use(flags("device=gpu" + text))
    assert cards["jax_default_matmul_precision"] == precision
    product = jax.jit(lambda x: jax.numpy.dot(x, x, precision=precision))
    product.lower(jax.numpy.ones((2, 2))).compile()


def test_the_precision_of_a_cpu_is_left_alone(cards, flags):
    device.use(flags("device=cpu"))
    assert "jax_default_matmul_precision" not in cards


def test_deterministic_sums_are_asked_for_before_xla_starts(cards, flags, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--the_users=own")
    for text in "device=cpu,deterministic=more", "device=gpu":
        device.use(flags(text))
        assert os.environ["XLA_FLAGS"] == "--the_users=own"
    device.use(flags("device=gpu,deterministic=more"))
    assert os.environ["XLA_FLAGS"] == f"{device.DETERMINISTIC} --the_users=own"


def test_the_device_is_the_one_in_use(cards, flags):
    configs = [flags(f"device={name}") for name in ("cuda1", "cuda2", "cpu")]
    for config in configs:
        device.use(config)
    assert [config.device for config in configs] == ["cuda1", "cpu", "cpu"]


def test_the_compiled_functions_longest_unread_go_beyond_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "CACHE_LIMIT", 250)
    for number, name in enumerate(("old", "read", "new", "newest")):
        (tmp_path / name).write_bytes(b"0" * 100)
        os.utime(tmp_path / name, (number, number))
    os.utime(tmp_path / "read", (9, 1))
    device.tidy(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newest", "read"]
    device.tidy(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
