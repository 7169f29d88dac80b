"""What an error advises works: each setting that it names leads to a training."""

import re

import pytest
from makeSounds import noise, wav

import dl
from mirdl import settings
from mirdl.errors import UserError

TRAINS = "it trains"
WAY = re.compile(r"(?:[A-Za-z]+(?:\.[A-Za-z]+)?=[^\s,;]+ ?)+")
SPLIT = "song,part\n" + "".join(
    f"{tag}/{number}.wav,{'test' if number == 3 else 'train'}\n"
    for tag in "ab" for number in range(4))
GROUPS = "song,group\n" + "".join(
    f"{tag}/{number}.wav,{tag}{number // 2}\n" for tag in "ab" for number in range(4))


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Make two tags of four songs of 6 s, and tables for them; return the folder of data/."""
    folder = tmp_path_factory.mktemp("advice")
    for tag in "ab":
        (folder / "data/datasets/Small" / tag).mkdir(parents=True)
        for number in range(4):
            sound = wav(noise(seconds=6) * (1 - number / 10))
            (folder / "data/datasets/Small" / tag / f"{number}.wav").write_bytes(sound)
    (folder / "parts.csv").write_text(SPLIT)
    (folder / "groups.csv").write_text(GROUPS)
    return folder


@pytest.fixture
def trains(songs, monkeypatch):
    """Begin a run on these songs; return what it says: an error, or that it trains."""
    monkeypatch.chdir(songs)
    # all that can be in the way is checked before
    monkeypatch.setattr(dl, "crossValidate", lambda *given: TRAINS)

    def begin(*overrides):
        small = ["DS.dataset=Small", "DL.type=oNetOne", "DS.xInput=50", "chunkHop=20", "folds=2",
                 "DL.batchSize=1"]
        try:
            return dl.main(settings.override(settings.published(), [*small, *overrides], str))
        except UserError as error:
            return str(error)
    return begin


@pytest.mark.parametrize("overrides, ways", [
    # the network and the songs, of 260 frames
    (["DL.type=pNetOne"], 7),
    (["DL.type=time"], 1),
    (["DS.melBands=2"], 1),
    (["DS.melBands=300"], 1),
    (["DS.melBands=2000"], 1),
    (["DS.xInput=1000"], 2),
    (["DL.type=pNetOne", "DS.xInput=216", "chunkHop=216"], 1),
    (["DL.type=pNetOne", "DS.xInput=250", "chunkHop=250"], 1),
    (["DL.type=vgg", "DS.xInput=500", "asPublished=False"], 1),
    # the folds
    (["folds=9"], 1),
    (["folds=5", "stratified=True"], 2),
    (["folds=5", "DS.groups=groups.csv"], 1),
    (["DS.groups=^(a|b/0|b)"], 1),
    (["validation=0.02"], 2),
    (["folds=3", "DL.batchSize=50"], 2),
    (["folds=1", "trainSplit=0.7", "testSplit=0.3"], 2),
    (["folds=1", "DS.split=parts.csv"], 1),
    (["folds=3", "DS.split=parts.csv", "validation=0"], 1),
    # settings that contradict each other
    (["folds=1", "stratified=True"], 1),
    (["DL.momentum=0.5", "DL.update=adam"], 3),
    (["validation=0", "randomTry=2"], 1),
])
def test_each_setting_that_is_advised_leads_to_a_training(trains, overrides, ways):
    message = trains(*overrides)
    assert message != TRAINS
    advice = message.rpartition("; ")[2]
    found = [way.strip() for way in WAY.findall(advice)]
    if "a network that fits: " in advice:
        assert re.search(r"DS.xInput=(216 .for songs of 5.5|60 .for songs of 1.9) s or m", advice)
        found += [f"DL.type={name}" for name in advice.partition("fits: ")[2].split(", ")]
    assert len(found) >= ways, message
    for way in found:
        assert trains(*overrides, *way.split()) == TRAINS, way
