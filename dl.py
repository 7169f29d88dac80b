"""Cross-validation: for each fold train a network, keep the best model, test it on songs."""
# ruff: noqa: E402 (Theano reads its flags when it is imported, as Lasagne does)

import io
import sys
import time
from contextlib import redirect_stdout
from functools import lru_cache, partial
from operator import attrgetter

import numpy as np

from mirdl.theano_flags import start_theano

start_theano()

import buildArchitecture
import loadDatasets
from buildArchitecture import buildNet, checkFit
from mirdl import recipes, settings
from mirdl.networks import architectures
from mirdl.results import beside, files, models, prose
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.results.tensorboard import events
from mirdl.results.thresholds import fitted
from mirdl.songs import splits
from mirdl.songs.checks import check_folds
from mirdl.system.progress import bar, set_quiet
from mirdl.tagging import likeness
from mirdl.training import checkpoint, model_checks, processes, runs, sweep
from mirdl.training.baselines import baselines_of
from mirdl.training.lockstep import Lockstep, make_network
from mirdl.training.run import DivergedError, Run, base_seed
from mirdl.training.targets import mean_figures, song_means, target_of
from mirdl.training.trial import Training, all_trials, model_info, progress

architectures.keep_source(buildArchitecture)


def main(parameters):
    """Cross-validate a network, run a sweep or test a model, as the parameters say.

    Gives a list of `Outcome`, one for each fold; for a sweep, a list for each run.
    """
    parameters, execution = settings.divide(settings.check(parameters))
    set_quiet(execution["quiet"])
    files.make_results_folder()
    if execution["sweep"]:
        return beginSweep(parameters, execution)
    buildNet(None, parameters, numClasses=2)    # fails early if it cannot be built
    found = loadDatasets.findSongs(model_checks.with_split(parameters))
    songs, _, parameters = found
    if songs.several:
        buildNet(None, parameters, numClasses=2, several=True)
    return (beginRun(parameters, files.new_id(), execution, found=found)
            if parameters["mode"] == "train" else testModel(parameters, execution, found))


def resume(runId, parameters):
    """Resume the run or sweep `runId` ('last': the latest); `parameters` say how to work."""
    _, execution = settings.divide(settings.check(parameters))
    set_quiet(execution["quiet"])
    sweepId = sweep.find(runId)
    return resumeRun(runId, execution) if sweepId is None else resumeSweep(sweepId, execution)


def beginRun(parameters, runId, execution, sweepId=None, found=None):
    """Begin a new run, of the sweep `sweepId` if it is part of one, with the songs `found`."""
    dataset = loadSongs(parameters, execution, checkFit, found)
    parameters = recipes.give_way(parameters, partial(check_folds, dataset))
    # before the run begins, as musicnn's weights may be missing; the windows are kept
    loadDatasets.windowsOf(dataset, parameters)
    source = architectures.source_hash(parameters["DL"]["type"], buildArchitecture)
    run = Run(parameters, runId, base_seed(parameters), dataset.fingerprint(), source, sweepId)
    with runs.begun(run):
        return crossValidate(run, dataset, execution)


def resumeRun(runId, execution):
    """Resume one stopped run."""
    with runs.resumed(runId) as run:
        if files.is_done(run.name):     # it was killed while it removed its states
            runs.forget(run, all_trials(run))
            print(f"{run.name} is done: all of its files are there")
            return files.read_outcomes(run.name).outcomes
        trials = all_trials(run)
        print(f"resuming {run.name}: {len(checkpoint.ended(trials))} of {len(trials)} trainings "
              "are done")
        dataset = loadAgain(run, execution["workers"], execution["DS.store"])
        return crossValidate(run, dataset, execution)


def beginSweep(parameters, execution):
    """Check every combination of a sweep, then begin them, or resume where they were stopped."""
    planned = sweep.plan(execution["sweep"], parameters, buildNet, loadDatasets.findSongs)
    if stopped := sweep.find_equal(planned):
        return resumeSweep(stopped, execution)
    for distinct in sweep.differing_in_data(planned):
        dataset = loadSongs(distinct, execution, checkFit)
        recipes.give_way(distinct, partial(check_folds, dataset))
    with sweep.begun(planned) as sweepId:
        return runSweep(planned, sweepId, execution)


def resumeSweep(sweepId, execution):
    """Resume a stopped sweep."""
    with sweep.resumed(sweepId) as planned:
        return runSweep(planned, sweepId, execution)


def runSweep(planned, sweepId, execution):
    """Do the runs of a sweep that are not done yet, then compare them all."""
    return sweep.run_all(
        planned, sweepId,
        begin=lambda run: beginRun(run.parameters, run.run_id, execution, sweepId),
        resume=lambda runId: resumeRun(runId, execution))


def crossValidate(run, dataset, execution):
    """Train and test all trials that have not ended, then sum up; one outcome for each fold."""
    trials = all_trials(run)
    outcomes = checkpoint.ended(trials)
    todo = [trial for trial in trials if trial.name not in outcomes]
    with runs.resumable(run.sweep or run.run_id):
        shown = partial(progress, trials, outcomes)
        for trial, outcome in trainAll(todo, dataset, execution, shown):
            outcomes[trial.name] = outcome
        tries = np.reshape([outcomes[each.name] for each in trials], (run.parameters["folds"], -1))
        best = [bestTrial(fold, run.parameters) for fold in tries if any(fold)]
        published = partial(loadDatasets.publishedMel, dataset, run.parameters)
        baselines = baselines_of(run, dataset, [outcome.fold for outcome in best], published)
        if best:
            beside.write(best, dataset.classes, run.name)
            if not dataset.several:
                learnLikeness(run, [outcome.fold for outcome in best], dataset)
            summarise(best, files.cross_validation(run.name), dataset, run.parameters, baselines)
    runs.forget(run, trials)
    if not best:
        raise DivergedError(run)
    return best


def trainAll(todo, dataset, execution, progress):
    """Train the trials one by one, in several processes or in lockstep; yield (trial, outcome)."""
    if not todo:
        return
    parameters, every = todo[0].parameters, execution["checkpointEvery"]
    if execution["foldsTogether"]:
        lockstep = Lockstep(buildNet, parameters, dataset, len(todo))
        yield from lockstep.run_jobs(
            lambda trial, slot: trainHeld(trial, dataset, slot, every), todo, progress)
    elif execution["cluster"] or execution["workers"] > 1:
        store = "memory" if dataset.in_memory else "disk"       # where this process keeps them
        yield from processes.run_jobs(partial(trainTrialOf, store, every), todo, execution,
                                      progress)
    else:
        network = make_network(buildNet, parameters, dataset)
        for trial in todo:
            yield trial, trainHeld(trial, dataset, network, every)


def trainHeld(trial, dataset, network, every):
    """Train a trial under its lock, unless another process has; `every`: epochs between states."""
    with checkpoint.held(trial, every) as saved:
        if not saved.ended:
            saved.finish(trainTrial(trial, dataset, network, saved))
        return saved.outcome


def trainTrial(trial, dataset, network, saved):
    """Train and test one trial from its checkpoint on; give its outcome, None if it diverged."""
    parameters, name = trial.parameters, trial.name
    fold = loadDatasets.foldOf(dataset, trial.fold, parameters)
    training = Training.new(trial, model_info(trial, dataset, fold))
    for chunks in (fold.train, fold.validation, fold.test):
        chunks.shuffle(training.rng)
    files.write_parameters(parameters, name)
    if saved.current:
        training.set_state(saved.current["training"])
        network.set_state(saved.current["network"])
    else:
        network.reset(training.rng, trial.dropout_seed)
        network.set_shares(fold.train.y)
    files.write_training(training.rows, name, training.figures)
    fit(network, fold, trial, training, saved)
    if training.best is None:
        return None
    models.save(training.weights, training.info, name)
    network.set_weights(training.weights)
    outcome = testTrial(network, fold, training.outcome(name), parameters)
    best = prose.epoch_text(training.rows[outcome.best_epoch],
                            parameters["DL"]["num_epochs"])
    files.write_text(best + prose.outcome_text(outcome), name, ".result")
    print(f"{trial.title}: {prose.outcome_line(outcome)}")
    return outcome


def fit(network, fold, trial, training, saved):
    """Train until the last epoch or the schedule's stop; `training` keeps curves and best model."""
    epochs, schedule = trial.parameters["DL"]["num_epochs"], training.schedule
    shown = bar(range(training.epoch, epochs), desc=trial.title, unit="epoch",
                initial=training.epoch, total=epochs)
    with events(trial.name) as toTensorBoard, shown:
        for epoch in shown:
            start, lr = time.monotonic(), schedule.lr
            chunks = fold.train.augmented(trial.parameters["DS"]["augment"], training.rng)
            figures = training.figures(epoch, *trainEpoch(network, chunks, training.rng),
                                       *validate(network, fold.validation))
            if figures.diverged():
                shown.write(f"{trial.title}: {figures.diverged()} in epoch {epoch + 1}, training "
                            f"stops here; lower DL.lr (now {lr:g})")
                break
            shown.set_postfix_str(prose.epoch_line(figures), refresh=False)
            stop = schedule.add(figures.training_loss)
            if schedule.lr != lr:
                network.set_learning_rate(schedule.lr, schedule.gradual)
                if not schedule.gradual:
                    shown.write(f"{trial.title}: learning rate {schedule.lr:g} from epoch "
                                f"{epoch + 2} on")
            if stop and trial.parameters["asPublished"]:    # the original drops this epoch
                break
            training.add(figures, network)
            files.append_training(figures, trial.name)
            toTensorBoard(figures)
            training.seconds += time.monotonic() - start
            if stop:
                break
            saved.save(training, network)


def trainEpoch(network, chunks, rng):
    """Train with all chunks in random order; give mean loss and accuracy (%)."""
    order = np.arange(len(chunks))
    rng.shuffle(order)
    batches = chunks.batches(order)
    figures = np.array(network.train_epoch(chunks, batches), np.float64)
    loss, accuracy = np.average(figures, axis=1, weights=list(map(len, batches)))
    return float(loss), float(100 * accuracy)


def validate(network, chunks):
    """Give mean loss and accuracy (%) of `chunks.batches`; nan if no songs validate.

    The accuracy is that of `mean_figures`.
    """
    if not len(chunks):
        return np.nan, np.nan
    order = np.concatenate(chunks.batches())
    return mean_figures(*network.evaluate_all(chunks, order), chunks.y[order], chunks.song[order])


def testTrial(network, fold, outcome, parameters):
    """Test chunks, and songs by the votes of their chunks, as testMethod asks."""
    chunks, method = fold.test, parameters["testMethod"]
    losses, probabilities = network.evaluate_all(chunks, np.arange(len(chunks)))
    if method in ("all", "utterances"):
        kept = np.concatenate(chunks.batches())
        outcome.loss, outcome.utterances = mean_figures(
            losses[kept], probabilities[kept], chunks.y[kept], chunks.song[kept])
    if target_of(chunks.labels).several:
        outcome.utterances = np.nan
        outcome.add_tagged(chunks.labels > 0, song_means(probabilities, chunks.song,
                                                         len(chunks.labels)))
        outcome.thresholds = thresholdsOf(network, fold.validation)
    elif method in ("all", "majorityVote"):
        bySong = [probabilities[chunks.song == song] for song in range(len(chunks.labels))]
        outcome.add_songs(chunks.labels.tolist(), bySong, parameters["errorCode"])
    return outcome


def learnLikeness(run, folds, dataset):
    """Learn how far test songs are from the others, to tell songs unlike all; write it."""
    print("learning what the songs of this run sound like ...", flush=True)
    tests = [splits.split(dataset, fold, run.parameters).test for fold in folds]
    features, pieced = loadDatasets.featuresOf(dataset, run.parameters)
    found = likeness.learnt(features, dataset.labels, tests, pieced)
    if found:
        likeness.write(found, run.name)


def thresholdsOf(network, chunks):
    """Fit the threshold of each tag on the songs of these chunks; give none without songs."""
    if not len(chunks):
        return []
    _, probabilities = network.evaluate_all(chunks, np.arange(len(chunks)))
    songs = song_means(probabilities, chunks.song, len(chunks.labels))
    return fitted(songs, chunks.labels > 0).round(6).tolist()


def bestTrial(outcomes, parameters):
    """Choose by test accuracy as published, otherwise by validation accuracy."""
    accuracy = attrgetter("test" if parameters["asPublished"] else "validation")
    return max(filter(None, outcomes), key=accuracy)


def summarise(outcomes, name, dataset, parameters, baselines=()):
    """Print and write the results of all folds together."""
    numParams = models.load(outcomes[0].name).num_params
    groups = dict(zip(dataset.names, dataset.groups, strict=True)) if dataset.groups else {}
    result = CrossValidation(parameters, dataset.classes, numParams, outcomes, list(baselines),
                             groups)
    files.write_cross_validation(result, name)
    print(f"########################\n{prose.run_text(result)}{prose.how_sure(result)}"
          f"{files.where_to_look(name)}")


def testModel(parameters, execution, found):
    """Test parameters["mode"], a model or each fold's model of a run, on the test songs."""
    tested = models.load_of_folds(parameters["mode"], parameters["folds"])
    model_checks.check_input(tested, parameters)
    dataset = loadSongs(parameters, execution, partial(model_checks.check_input, tested), found)
    check_folds(dataset, parameters, ("test",))
    model_checks.check_models(tested, dataset, parameters, buildNet)
    network, outcomes, seen = make_network(buildNet, parameters, dataset), [], 0
    for number, model in enumerate(tested):
        fold = loadDatasets.foldOf(dataset, number, parameters)
        if model.info and model.info.moments:
            fold.test.mean[:], fold.test.std[:] = model.info.moments
        songs = [dataset.names[song] for song in fold.songs.test]
        network.set_weights(model.weights)
        outcome = Outcome(model.name, 0, 0, float("nan"), songs=songs, fold=number)
        outcomes.append(testTrial(network, fold, outcome, parameters))
        seen += model_checks.seen_songs(model, dataset)[fold.songs.test].sum()
    if seen:
        print(f"Note: {seen} of the {len(dataset.names)} songs were training songs of the model "
              "that was tested on them")
    summarise(outcomes, "Test_" + files.name_of(parameters, files.new_id()), dataset, parameters)
    return outcomes


def loadSongs(parameters, execution, attempt, found=None):
    """Load the data set, kept where that many workers can hold it; the rest as for load_dataset."""
    return loadDatasets.load_dataset(parameters, execution["workers"], execution["DS.store"],
                                     attempt, found)


def loadAgain(run, processes, store):
    """Load the songs of a run that was begun earlier; refuse others, and another network."""
    run.check_source(architectures.source_hash(run.parameters["DL"]["type"], buildArchitecture))
    dataset = loadDatasets.load_dataset(run.parameters, processes, store)
    run.check_songs(dataset)
    return dataset


@lru_cache(1)       # for the next trial of the run
def openRun(name, store):
    """Open a run from disk, in a worker: give its data set and its network."""
    with redirect_stdout(io.StringIO()):
        run = runs.read(name)
        dataset = loadAgain(run, 1, store)
        return dataset, make_network(buildNet, run.parameters, dataset)


def trainTrialOf(store, every, trial):
    """Train a trial, in a worker, which finds its songs on disk and keeps them in `store`."""
    return trainHeld(trial, *openRun(trial.run.name, store), every)


if __name__ == "__main__":
    sys.exit("error: dl.py is not run by itself; run: python run.py")
