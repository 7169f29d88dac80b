import pytest

from mirdl.errors import UserError
from mirdl.training import sweep


def test_combinations_are_the_product_in_order():
    assert sweep.combinations("DL.type=a,b  folds=4 random_seed=1,2") == [
        [f"DL.type={name}", "folds=4", f"random_seed={seed}"] for name in "ab" for seed in "12"]


@pytest.mark.parametrize("text, part", [("DL.type", "DL.type"), ("folds=", "folds="), ("folds=2,,3", "folds=2,,3"),
                                        ("folds=2 folds=3", "folds=3"), ("workers=1,2", "workers=1,2"), ("mode=x", "mode=x")])
def test_what_is_no_sweep_is_refused(text, part):
    with pytest.raises(UserError) as error:
        sweep.combinations(text)
    assert f"sweep={text} is not understood at {part!r}: expected key=value,value" in str(error.value)
