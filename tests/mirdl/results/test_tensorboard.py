import glob
import os
import sys

import pytest
from conftest import ROOT, optional

from mirdl.results import tensorboard
from mirdl.results.curves import EpochFigures

ROWS = [EpochFigures(0, 2.5, 12.5, 2.0, 25.0), EpochFigures(1, 1.5, 50.0, 1.0, 75.0)]


def test_without_a_writer_nothing_is_written(workplace, monkeypatch):
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with tensorboard.events("a run") as write:
        for row in ROWS:
            write(row)
    assert os.listdir("data/results") == []


@pytest.fixture
def Event(monkeypatch):
    """Make tensorboardX importable, for this test alone: every run would write events."""
    monkeypatch.syspath_prepend(os.path.join(ROOT, ".venv", "tensorboard"))
    yield optional("tensorboardX.proto.event_pb2", "tensorboardX").Event
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboardX"]:
        del sys.modules[name]


def test_curves_are_in_the_event_file(workplace, Event):
    with tensorboard.events("a run") as write:
        for row in ROWS:
            write(row)
    [path] = glob.glob("data/results/a run.events/*")
    with open(path, "rb") as file:
        content, found = file.read(), {}
    while content:      # a record: length (8 bytes), its checksum (4), the event, its checksum (4)
        length = int.from_bytes(content[:8], "little")
        event, content = Event.FromString(content[12:12 + length]), content[16 + length:]
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert found["validationAccuracy"] == [(0, 25), (1, 75)]
    assert found["trainingLoss"] == [(0, 2.5), (1, 1.5)] and len(found) == 4
