import pytest

from mirdl.training.schedule import Cosine, Published, new


@pytest.mark.parametrize("case", range(9))
def test_schedule_equals_the_originals(oracle, case):
    case = oracle("schedule.json")[case]
    schedule, rates, epochs = Published(0.01), [[-1, 0.01]], 0
    for epoch, loss in enumerate(case["train_loss"]):
        before, epochs = schedule.lr, epochs + 1
        stop = schedule.add(loss)
        if schedule.lr != before:
            rates.append([epoch, schedule.lr])
        if stop:
            break
    assert epochs == case["epochs_run"]
    assert rates == case["lr_compiled_at_[epoch,lr]"]


def test_the_cosine_falls_from_the_first_rate_to_nothing():
    schedule, rates = Cosine(0.4, 8), []
    for _ in range(8):
        rates.append(schedule.lr)
        assert not schedule.add(float("nan"))
    assert rates[0] == 0.4 and rates[4] == pytest.approx(0.2) and rates == sorted(rates)[::-1]
    assert rates[2] == pytest.approx(0.2 * (1 + 2 ** -0.5))
    assert schedule.lr == pytest.approx(0, abs=1e-12)


def test_only_the_cosine_changes_the_rate_with_every_epoch():
    assert Cosine(0.4, 8).gradual and not Published(0.4).gradual


def test_new_makes_what_the_settings_ask_for(parameters):
    assert new(parameters("DL.lr=0.3")) == Published(0.3)
    assert new(parameters("DL.schedule=cosine", "DL.num_epochs=7")) == Cosine(0.01, 7)
