from mirdl.results import files
from mirdl.training.trial import every_trial, progress


def test_progress_of_all_folds(workplace, parameters):
    tries = every_trial({"parameters": parameters("DS.dataset=Beats", "folds=3", "randomTry=2", "DL.num_epochs=10"), "id": "x", "seed": 1})
    for this, epochs in zip(tries, (4, 3, 10)):
        files.write_training([(epoch, 1.0, 50.0, 1.0, 50.0) for epoch in range(epochs)], this.name)
    total, done, words = progress(tries, {tries[0].name})
    assert total == 4 + 5 * 10, "the first one stopped early"
    assert done == 17 and words == "fold 1 of 3 try 2 of 2: 3, fold 2 of 3 try 1 of 2: 10"
