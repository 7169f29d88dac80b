import sys
from types import ModuleType

import pytest

from mirdl.errors import UserError
from mirdl.networks import architectures

SOURCE = """
from numpy import ones
sizes = [1, 2]

def one(input_var, parameters, numClasses):
    return helper(sizes)

def two(input_var, parameters, numClasses):
    return [helper(n) for n in (3, 4)]

def helper(n):
    return ones(n)
"""


@pytest.fixture
def module(tmp_path):
    """Make a module of a source text."""
    def make(text, name="networks"):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        made = ModuleType(name)
        made.__file__ = str(path)
        sys.modules[name] = made
        exec(compile(text, path, "exec"), made.__dict__)
        return made
    yield make
    for name in ("networks", "changed"):
        sys.modules.pop(name, None)


def test_networks_are_the_functions_of_three_arguments(module):
    found = module(SOURCE)
    assert architectures.networks(found) == {"one": found.one, "two": found.two}
    assert architectures.find("two", found) is found.two


def test_an_unknown_network_is_answered_with_the_list(module):
    message = r"DL.type=tow .*networks.py.*did you mean two\?.* one, two$"
    with pytest.raises(UserError, match=message):
        architectures.find("tow", module(SOURCE))
    with pytest.raises(UserError, match="DL.type=helper .* one, two$"):
        architectures.find("helper", module(SOURCE))


@pytest.mark.parametrize("before, after, changed", [
    ("[1, 2]", "[1, 3]", {"one"}),
    ("(3, 4)", "(3, 5)", {"two"}),
    ("ones(n)", "ones(n + 1)", {"one", "two"}),
    ("import ones", "import ones, zeros", set()),
])
def test_the_source_hash_follows_what_a_network_uses(module, before, after, changed):
    first = module(SOURCE)
    hashes = {name: architectures.source_hash(name, first) for name in ("one", "two")}
    assert len(set(hashes.values())) == 2
    other = module(SOURCE.replace(before, after), "changed")
    assert {name for name in hashes
            if architectures.source_hash(name, other) != hashes[name]} == changed


OWN = """
from lasagne.init import HeUniform
from lasagne.layers import DenseLayer, Layer
OPTIONS = dict(W=HeUniform())

class Base(Layer):
    factor = 2

class Doubled(Base):
    def get_output_for(self, input, **kwargs):
        return self.factor * input

def one(input_var, parameters, numClasses):
    return DenseLayer(Doubled(input_var), numClasses, **OPTIONS)
"""


@pytest.mark.parametrize("before, after, changed", [
    ("OPTIONS", "OPTIONS", False),
    ("HeUniform()", "HeUniform(gain=2)", True),
    ("self.factor * input", "self.factor + input", True),
    ("factor = 2", "factor = 3", True)])
def test_the_source_hash_follows_options_and_layers_of_ones_own(module, before, after, changed):
    first = architectures.source_hash("one", module(OWN))
    again = architectures.source_hash("one", module(OWN.replace(before, after), "changed"))
    assert (first != again) == changed


def test_objects_are_described_without_their_addresses():
    class Option:
        def __init__(self, n):
            self.n = n
    described = architectures._describe([(1,), {"a": Option(3)}, {2, 1}, "x", None])
    assert described.startswith("[(1,), {'a': ") and " object at 0x" not in described
    assert described.endswith("Option{'n': 3}}, {1, 2}, 'x', None]")
    assert architectures._describe([(6, 5), (11, 5)]) == repr([(6, 5), (11, 5)])


def test_a_kept_source_is_that_of_the_import(module):
    made = module(SOURCE, "networks")
    before = architectures.source_hash("one", made)
    architectures.keep_source(made)
    with open(made.__file__, "w") as file:
        file.write(SOURCE.replace("helper(sizes)", "helper(sizes) + 1  # longer"))
    assert architectures.source_hash("one", made) == before
    edited = module(SOURCE.replace("helper(sizes)", "helper(sizes) + 1"), "changed")
    assert architectures.source_hash("one", edited) != before
