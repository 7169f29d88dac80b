import json
import math

import pytest

from mirdl.results.model_info import ModelInfo

INFO = ModelInfo({"DL": {}}, ["x", "y"], 11, 0, "abc", {"numpy": "2"}, [0.5, 2.0], ["a"], ["b"],
                 ["c"])


def test_what_a_model_says_of_itself_reads_back():
    assert ModelInfo.from_json(json.loads(json.dumps(INFO.to_json()))) == INFO


@pytest.mark.parametrize("change", [
    {"classes": "xy"}, {"classes": [1, 2]}, {"moments": [1.0]}, {"moments": [math.nan, 1.0]},
    {"parameters": []}, {"testSongs": None}])
def test_a_model_that_does_not_say_what_it_is_made_for(change):
    with pytest.raises((ValueError, TypeError)):
        ModelInfo.from_json({**INFO.to_json(), **change})
