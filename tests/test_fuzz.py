"""Input made ill by chance: whatever comes, it is refused in one line or does no harm.

MIRDL_TORTURE=1 runs the long form.
"""

import json
import os

import makeSounds
import numpy as np
from hypothesis import given
from hypothesis import settings as fuzz
from hypothesis import strategies as st

import loadDatasets
from mirdl import settings
from mirdl.errors import UserError

published = settings.published()
LONG = bool(os.environ.get("MIRDL_TORTURE"))
keys = st.sampled_from(list(settings.SETTINGS) + list(settings.DERIVED)) | st.text(max_size=12)
numbers = st.integers() | st.floats() | st.integers(-3, 300)
odd = st.sampled_from(["True", "false", "None", "nan", "-inf", "1e999", "0x10", "1_0", "٣", "../x",
                       ""])
values = numbers.map(str) | st.text() | odd


def answer(function, *arguments):
    """Return what `function` returns, or None if it refuses with a `UserError` and nothing else."""
    try:
        return function(*arguments)
    except UserError as error:
        assert str(error).strip()


def survivesJson(parameters):
    return json.loads(json.dumps(parameters, allow_nan=False)) == parameters


def test_overrides_are_refused_in_one_line_or_survive_json(record_property):
    cases = 5000 if LONG else 500

    @fuzz(max_examples=cases, deadline=None, database=None)
    @given(st.lists(st.tuples(keys, values).map("=".join) | st.text(), max_size=4))
    def check(arguments):
        changed = answer(settings.override, published, arguments)
        settled = changed and answer(settings.check, changed)
        assert settled is None or survivesJson(settled) and settings.check(settled) == settled
    check()
    record_property("fuzz cases run", cases)


def test_parameters_are_refused_in_one_line_or_survive_json(record_property):
    cases = 5000 if LONG else 200
    plain = st.none() | st.booleans() | numbers | st.text() | st.binary(max_size=3)
    anything = st.recursive(
        plain, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=5)
    leaves = keys | st.sampled_from(["type", "lr", "momentum"])

    @fuzz(max_examples=cases, deadline=None, database=None)
    @given(st.dictionaries(keys, anything, max_size=4),
           st.dictionaries(leaves, anything, max_size=3))
    def check(top, deep):
        given = {**published, **top, "DL": {**published["DL"], **deep}}
        settled = answer(settings.check, given)
        assert settled is None or survivesJson(settled) and settings.check(settled) == settled
    check()
    record_property("fuzz cases run", cases)


def test_mutated_sound_files_are_used_or_left_out_by_name_and_harm_no_other(
        workplace, parameters, capsys, record_property):
    cases, rng = 2000 if LONG else 40, np.random.RandomState(5)
    folder = workplace / "data/datasets/Mutants"
    codings = ("flac", "ogg", "mp3", "aiff")
    originals = {"wav": makeSounds.wav(makeSounds.noise()),
                 **{coding: makeSounds.encoded(workplace, coding) for coding in codings}}
    for tag in "ab":
        (folder / tag).mkdir(parents=True)
        for coding, content in originals.items():
            (folder / tag / f"good.{coding}").write_bytes(content)
    settled = parameters("DS.dataset=Mutants", "DS.xInput=40", "chunkHop=10", "folds=2",
                         "asPublished=False")
    before = loadDatasets.load_dataset(settled)
    mutants = []
    for case in range(cases):
        coding = list(originals)[case % len(originals)]
        mutants.append(f"{'ab'[case % 2]}/mutant {case}.{coding}")
        content = makeSounds.mutated(originals[coding], rng)
        (folder / mutants[-1]).write_bytes(content)
    capsys.readouterr()
    after = loadDatasets.load_dataset(settled)
    listed = workplace / "data/preloaded/Mutants.left_out.txt"
    lines = (listed.read_text() if listed.exists() else capsys.readouterr().out).splitlines()
    songs = dict(zip(after.names, after.spectrograms, strict=True))
    for name, spectrogram in zip(before.names, before.spectrograms, strict=True):
        np.testing.assert_array_equal(songs[name], spectrogram)
    for name in mutants:
        told = any(line.strip().startswith(f"{name!r} ") for line in lines)
        assert (name in songs) != told, name
    assert len(before.names) < len(after.names) < len(before.names) + cases, (
        "some mutants can be read, some cannot")
    record_property("fuzz cases run", cases)
