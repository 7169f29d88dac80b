import pytest

from mirdl.training.schedule import Schedule


@pytest.mark.parametrize("case", range(9))
def test_schedule_equals_the_originals(oracle, case):
    case = oracle("schedule.json")[case]
    schedule, rates, epochs = Schedule(0.01), [[-1, 0.01]], 0
    for epoch, loss in enumerate(case["train_loss"]):
        before, epochs = schedule.lr, epochs + 1
        stop = schedule.add(loss)
        if schedule.lr != before:
            rates.append([epoch, schedule.lr])
        if stop:
            break
    assert epochs == case["epochs_run"]
    assert rates == case["lr_compiled_at_[epoch,lr]"]
