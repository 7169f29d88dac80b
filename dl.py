"""Cross-validation: for each fold and try train, keep the best model, test by chunks and by songs."""

import time
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import version

import lasagne
import numpy as np
from sklearn.metrics import classification_report, confusion_matrix

import buildArchitecture
import loadDatasets
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files, tables
from mirdl.results.tensorboard import events
from mirdl.spectrograms.chunks import batches
from mirdl.system.progress import bar, set_quiet
from mirdl.system.whole_files import make_folder
from mirdl.training import architectures, checkpoint, lockstep, processes, sweep
from mirdl.training.lockstep import Table
from mirdl.training.network import Network
from mirdl.training.schedule import Schedule
from mirdl.training.trial import Outcome, every_trial, progress
from theano import device

SEEDS = 2147462579      # seeds of Lasagne's dropout lie below
# what a model is made for: of other spectrograms it would make something, but nothing that is right
INPUT = ("DL.type", "DS.frameSize", "DS.hopSize", "DS.specTransform", "DS.windowType", "DS.melBands", "DS.xInput", "DS.inputNorm",
         "DS.inputNormWhere")
PACKAGES = ("lasagne", "pytensor", "jax", "numpy", "essentia")      # that shape a model; it keeps their versions


class Diverged(UserError):
    """The loss was never finite."""


def main(parameters):
    """Do what the parameters say: cross-validate a network, or test a model.

    Parameters
    ----------
    parameters : dict
        Nested, as in run.py.

    Returns
    -------
    list of Outcome
        One a fold; of a sweep, a list for each run.

    Raises
    ------
    UserError
        For anything that the user can mend; before any work where that is possible.
    """
    _, means = settings.apart(settings.check(parameters))
    set_quiet(means["quiet"])
    make_folder(files.FOLDER)
    if means["sweep"]:
        runs = [{"parameters": checked(settings.override(parameters, chosen, tell=str)), "id": files.new_id(),
                 "title": " ".join(chosen)} for chosen in sweep.combinations(means["sweep"])]
        checkData([run["parameters"] for run in runs], means["workers"])
        with sweep.begun(runs) as id:
            return goThrough(runs, id, means)
    parameters = checked(parameters)
    if parameters["mode"] != "train":
        return testModel(parameters)
    return begin(parameters, files.new_id(), means)


def checked(parameters):
    """Parameters without `settings.MEANS`; a setting or network that is impossible is told here, before any work."""
    parameters, _ = settings.apart(settings.check(parameters))
    buildArchitecture.buildNet(None, parameters, numClasses=2)
    return parameters


def begin(parameters, id, means, sweepId=None):
    """Cross-validate as a new run; `sweepId` is that of the sweep that it belongs to."""
    dataset = loadDatasets.load_dataset(parameters, means["workers"])
    checkBatches(dataset, parameters)
    run = {"parameters": parameters, "id": id, "seed": baseSeed(parameters), "songs": dataset.fingerprint(), "sweep": sweepId,
           "architecture": architectures.source_hash(parameters["DL"]["type"], buildArchitecture)}
    with checkpoint.begun(run):
        return crossValidate(Trainer(run, dataset), means)


def resume(id, parameters):
    """Go on with the cross-validation or sweep `id` ('last': the latest) where it was stopped.

    It has its own parameters; `parameters` say how the work is to be done (`settings.MEANS`). See `main`.
    """
    _, means = settings.apart(settings.check(parameters))
    set_quiet(means["quiet"])
    found = sweep.find(id)
    if found:
        with sweep.resumed(found) as runs:
            return goThrough(runs, found, means)
    return resumeRun(id, means)


def resumeRun(id, means):
    """Go on with one cross-validation; see `resume`."""
    with checkpoint.resumed(id) as run:
        settings.check({**run["parameters"], **means})
        name, tries = checkpoint.name_of(run), every_trial(run)
        if files.is_done(name):        # it was killed while it removed its states
            checkpoint.forget(run, [this.name for this in tries])
            print(f"{name} is done: all of its files are there")
            return [Outcome(**fold) for fold in files.read_outcomes(name)["folds"]]
        ended = sum(checkpoint.Checkpoint(this.name, run).ended for this in tries)
        print(f"going on with {name}: {ended} of {len(tries)} trainings are done")
        return crossValidate(trainerOf(run, means["workers"]), means)


def goThrough(runs, id, means):
    """Do what is not done yet of the runs of the sweep `id`, then compare them all."""
    outcomes = []
    for number, run in enumerate(runs, 1):
        begun = checkpoint.exists(run)
        if files.is_done(checkpoint.name_of(run)) and not begun:
            continue
        sweep.touch(id)
        print(f"######################## run {number} of {len(runs)}: {run['title']}", flush=True)
        with checkpoint.onward(id):
            try:
                outcomes.append(resumeRun(run["id"], means) if begun else begin(run["parameters"], run["id"], means, id))
            except Diverged as error:
                print(error)
                sweep.drop(id, run)
    names = [checkpoint.name_of(run) for run in runs if files.is_done(checkpoint.name_of(run))]
    print(tables.text(tables.comparison({name: files.read_outcomes(name) for name in names})))
    sweep.forget(id)
    return outcomes


def crossValidate(trainer, means):
    """Train and test every fold and try that is not done yet; write the files of each and those of the cross-validation."""
    run, parameters = trainer.run, trainer.run["parameters"]
    tries = every_trial(run)
    ended = {this.name for this in tries if checkpoint.Checkpoint(this.name, run).ended}
    each = trainer.engine(means, lambda: progress(tries, ended), len(tries) - len(ended))
    with checkpoint.onward(run["sweep"] or run["id"]):
        for name in each(trainer.train, [this for this in tries if this.name not in ended]):
            ended.add(name)
    outcomes = [checkpoint.Checkpoint(this.name, run).outcome for this in tries]
    outcomes = [outcome and Outcome(**outcome) for outcome in outcomes]
    folds = [outcomes[at:at + parameters["randomTry"]] for at in range(0, len(tries), parameters["randomTry"])]
    outcomes = [best(fold, parameters) for fold in folds if any(fold)]
    if outcomes:
        summarise(outcomes, files.cross_validation(checkpoint.name_of(run)), trainer.dataset, parameters)
    checkpoint.forget(run, [this.name for this in tries])
    if not outcomes:
        raise Diverged("no fold could be trained: the loss was not finite from the first epoch on with "
                        f"DL.lr={parameters['DL']['lr']}; lower it")
    return outcomes


class Trainer:
    """Trains any fold and try of a run. Pickled it is the run's name: a worker makes its own from what is on disk.

    With DS.store='auto' a worker keeps the songs where this process does, whatever memory its machine has.

    Parameters
    ----------
    run : dict
        What the run was begun with.
    dataset : DataSet
    """

    def __init__(self, run, dataset):
        self.run, self.dataset = run, dataset

    def __reduce__(self):
        return trainerOnDisk, (checkpoint.name_of(self.run), "memory" if self.dataset.isInMemory else "disk")

    @cached_property
    def network(self):
        """Built once, made new for each training."""
        onGPU = device.in_use().platform != "cpu" and self.dataset.isInMemory
        return self.table(1).seats[0] if onGPU else self.build()

    def build(self, ready=True):
        """A new network; see `Network` for `ready`."""
        return Network(buildArchitecture.buildNet, self.run["parameters"], len(self.dataset.classes), ready)

    def table(self, count):
        """Where `count` trainings meet, the data set being on the device."""
        return Table(self.build(ready=False), self.dataset, self.run["parameters"], count)

    def engine(self, means, progress, count):
        """What makes the calls of `train`, as `means` say, for `count` trainings; see `processes.engine`."""
        if not means["foldsTogether"] or not count:
            return processes.engine(means, progress)
        if not self.dataset.isInMemory:
            raise UserError("foldsTogether=True needs the data set in memory, and its spectrograms are read from disk: set "
                            "DS.store=memory, or leave out foldsTogether")
        return lockstep.engine(self.table(count), progress)

    def train(self, this, network=None):
        """Train and test the `Try` this, unless another process has by now; its name."""
        with checkpoint.taken(this.name, self.run) as state:
            if not state.ended:
                outcome = trainAndTest(network or self.network, self.dataset, this, state)
                state.finish(outcome and vars(outcome))
        return this.name


def trainerOf(run, processes=1, store=None):
    """The `Trainer` of a run that was begun earlier, or by another process; `store`: where its songs are kept, if not as the run says."""
    name, network = checkpoint.name_of(run), run["parameters"]["DL"]["type"]
    if architectures.source_hash(network, buildArchitecture) != run["architecture"]:
        raise UserError(f"the network {network} of buildArchitecture.py has changed since the run {name!r} was begun; put the old one "
                        "back, or begin a new run")
    DS = run["parameters"]["DS"]
    dataset = loadDatasets.load_dataset({**run["parameters"], "DS": {**DS, "store": store or DS["store"]}}, processes)
    if not dataset.fits(run["songs"]):
        raise UserError(f"the songs of data set {DS['dataset']!r}, or their groups, are not those that the run "
                        f"{name!r} was begun with; put them back, or begin a new run")
    return Trainer(run, dataset)


@lru_cache(1)       # for the next fold of the run
def trainerOnDisk(name, store):
    """The `Trainer` of the run `name`, its songs being kept in `store`: 'memory' or 'disk'."""
    with processes.silence():
        trainer = trainerOf(checkpoint.read(name), store=store)
        trainer.network     # compiled in silence as well
        return trainer


@dataclass
class Training:
    """How far a training is.

    Attributes
    ----------
    schedule : Schedule
    epoch : int
        The next one.
    rows : list of tuple
        The training curves so far, as in `files.CURVES`.
    seconds : float
    best : Outcome or None
        Of the best model by validation accuracy, with its weights and the report of its epoch.
    """

    schedule: Schedule
    epoch: int = 0
    rows: list = field(default_factory=list)
    seconds: float = 0.0
    best: Outcome = None
    weights: list = None
    report: str = ""

    @classmethod
    def fromDict(cls, state):
        """The Training whose `asdict` is `state`."""
        return cls(**{**state, "schedule": Schedule(**state["schedule"]), "best": state["best"] and Outcome(**state["best"])})


def trainAndTest(network, dataset, this, state):
    """Train one fold and try, from its checkpoint if there is one, and test its best model.

    Returns
    -------
    Outcome or None
        None if the loss was not finite in the first epoch.
    """
    parameters, rng = this.parameters, this.rng()
    train, validation, test, moments = foldData(dataset, this.fold, parameters)
    for chunks in (train, validation, test):
        chunks.shuffle(rng)
    about = aboutModel(dataset, this, moments)
    files.write_parameters(parameters, this.name)
    if state.current:
        training = Training.fromDict(state.current["training"])
        network.set_state(state.current["network"])
        rng.set_state(state.current["rng"])
    else:
        training = Training(Schedule(parameters["DL"]["lr"]))
        network.reset(rng, this.rng(1).randint(1, SEEDS))
    files.write_training(training.rows, this.name)
    fit(network, train, validation, rng, training, this, about, state)
    if training.best is None:
        return None
    files.save_model(training.weights, about, this.name)
    network.set_weights(training.weights)
    outcome, tested = testOn(network, test, training.best, parameters)
    outcome.seconds, outcome.fold = training.seconds, this.fold
    outcome.songs = about["testSongs"]
    files.write_result(training.report + tested, this.name)
    print(f"{this.title}: {outcome.epochs} epochs in {outcome.seconds:.1f} s, best {outcome.bestEpoch + 1}; "
          f"test accuracy {outcome.utterances:.2f} % of chunks, {outcome.majorityVote:.2f} % of songs by majority vote")
    return outcome


def foldData(dataset, fold, parameters):
    """The chunks of a fold's training, validation and test songs, and the mean and std that normalise its songs."""
    split = loadDatasets.split(dataset, fold, parameters)
    moments = loadDatasets.normalization(dataset, parameters["DS"], split[0])
    return *[loadDatasets.format4MIRdl(dataset, songs, moments, parameters) for songs in split], moments


def fit(network, train, validation, rng, training, this, about, state):
    """Train until the last epoch or the schedule's stop; `training` takes in the curves and the best model.

    The curves are written as they come, and now and then the best model and, to the checkpoint `state`, how far all this is.
    """
    def current():
        files.save_model(training.weights, about, this.name)
        return {"training": asdict(training), "network": network.get_state(), "rng": rng.get_state()}

    parameters, schedule = this.parameters, training.schedule
    epochs = parameters["DL"]["num_epochs"]
    progress = bar(range(training.epoch, epochs), desc=this.title, unit="epoch", initial=training.epoch, total=epochs)
    with events(this.name) as toTensorBoard, progress:
        for epoch in progress:
            start = time.monotonic()
            loss, accuracy = trainEpoch(network, train, rng, parameters)
            if not np.isfinite(loss):
                progress.write(f"{this.title}: the training loss is {loss} in epoch {epoch + 1}, training stops here; "
                               f"lower DL.lr (now {schedule.lr:g})")
                break
            validationLoss, validationAccuracy = accuracyOn(network, validation, parameters)
            progress.set_postfix_str(f"loss {loss:.3f}, accuracy {accuracy:.0f} %, validation {validationAccuracy:.0f} %",
                                     refresh=False)
            lr = schedule.lr
            stop = schedule.see(loss)
            if schedule.lr != lr:
                network.set_learning_rate(schedule.lr)
                progress.write(f"{this.title}: learning rate {schedule.lr:g} from epoch {epoch + 2} on")
            if stop and parameters["asPublished"]:
                break
            row = epoch, loss, accuracy, validationLoss, validationAccuracy
            training.rows.append(row)
            files.append_training(row, this.name)
            toTensorBoard(row)
            # a model of validation accuracy 0 is kept only where none is better (the original kept none and failed)
            if training.best is None or validationAccuracy > training.best.validation:
                training.best = Outcome(this.name, 0, epoch, validationAccuracy)
                training.weights, training.report = network.get_weights(), epochReport(row, epochs)
            training.best.epochs = training.epoch = epoch + 1
            training.seconds += time.monotonic() - start
            if stop:
                break
            state.save(epoch, current)


def epochReport(row, epochs):
    """The figures of an epoch, a row of the training curves, in words."""
    epoch, loss, accuracy, validationLoss, validationAccuracy = row
    return (f"Epoch {epoch + 1} of {epochs}\n  training loss:\t\t{loss:.6f}\n  training accuracy:\t\t{accuracy:.2f} %\n"
            f"  validation loss:\t\t{validationLoss:.6f}\n  validation accuracy:\t\t{validationAccuracy:.2f} %\n")


def trainEpoch(network, train, rng, parameters):
    """One pass over the training chunks in random order; the means over its batches of loss and accuracy (%)."""
    order = np.arange(len(train))
    rng.shuffle(order)
    each = batches(order, parameters["DL"]["batchSize"], parameters["asPublished"])
    figures = np.array(network.trainEpoch(train, each), np.float64)
    loss, accuracy = np.average(figures, axis=1, weights=list(map(len, each)))
    return float(loss), float(100 * accuracy)


def evaluate(network, chunks, order, size):
    """Loss of each chunk and probabilities: (chunks, classes), in batches of one size (the last one filled up)."""
    full = [np.resize(batch, size) for batch in batches(order, size, whole=False)]   # another size would be compiled anew
    losses, probabilities = network.evaluate_all(chunks, full)
    return losses[:len(order)], probabilities[:len(order)]


def accuracyOn(network, chunks, parameters):
    """Mean loss and accuracy (%) over the chunks; asPublished leaves out an incomplete last batch."""
    size = parameters["DL"]["batchSize"]
    order = np.concatenate(batches(np.arange(len(chunks)), size, parameters["asPublished"]))
    losses, probabilities = evaluate(network, chunks, order, size)
    return figuresOf(losses, probabilities, chunks.y[order])


def figuresOf(losses, probabilities, y):
    """Mean loss, and accuracy in %."""
    return float(np.mean(losses, dtype=np.float64)), float(100 * np.mean(probabilities.argmax(axis=1) == y))


def testOn(network, test, outcome, parameters):
    """Test by chunks ('utterances') and by majority vote of each song's chunks, as testMethod asks.

    Returns
    -------
    outcome : Outcome
        With the test's figures in it.
    report : str
    """
    size, method = parameters["DL"]["batchSize"], parameters["testMethod"]
    losses, probabilities = evaluate(network, test, np.arange(len(test)), size)
    report = ""
    if method in ("all", "utterances"):
        kept = len(test) // size * size if parameters["asPublished"] else len(test)
        outcome.loss, outcome.utterances = figuresOf(losses[:kept], probabilities[:kept], test.y[:kept])
        report += (f"\n[UTTERANCES] Final results:\n  test loss:\t\t\t{outcome.loss:.6f}\n"
                   f"  test accuracy:\t\t{outcome.utterances:.2f} %\n")
    if method in ("all", "majorityVote"):
        answers = [probabilities[test.song == song].argmax(axis=1) for song in range(len(test.labels))]
        outcome.votes = [np.bincount(votes, minlength=probabilities.shape[1]).tolist() for votes in answers]
        outcome.voted = [majorityVote(votes, parameters["errorCode"]) for votes in answers]
        outcome.true = test.labels.tolist()
        outcome.majorityVote = 100 * float(np.mean(np.array(outcome.voted) == outcome.true))
        report += f"\n[MAJORITYVOTE] Final results:\n  test accuracy:\t\t{outcome.majorityVote:.2f} %\n"
    return outcome, report


def majorityVote(answers, errorCode):
    """The class that most chunks of a song were given, the lowest one in a tie; `errorCode` for a song without chunks."""
    return int(np.bincount(answers).argmax()) if len(answers) else errorCode


def best(tries, parameters):
    """The try that counts: by test accuracy as published, otherwise by validation accuracy."""
    finished = [outcome for outcome in tries if outcome]
    if not parameters["asPublished"]:
        return max(finished, key=lambda outcome: outcome.validation)
    return max(finished, key=lambda outcome: np.nan_to_num([outcome.majorityVote, outcome.utterances]).tolist())


def summarise(outcomes, name, dataset, parameters):
    """Print and write the accuracies over all folds, the outcomes, and the confusion matrix of the songs."""
    report = "".join(f"{outcome.name}\n" for outcome in outcomes)
    if len(outcomes) < parameters["folds"]:
        report += f"{parameters['folds'] - len(outcomes)} of {parameters['folds']} folds had no finite loss and do not count\n"
    for title, figures in (("[CV-UTTERANCES] test accuracy:", [outcome.utterances for outcome in outcomes]),
                           ("[CV-MAJORITYVOTE] test accuracy:", [outcome.majorityVote for outcome in outcomes])):
        if not np.isnan(figures).all():
            report += f"{title}\n  mean:\t\t{np.mean(figures):.2f} %\n  std:\t\t{np.std(figures):.2f} %\n"
    network, _ = buildArchitecture.buildNet(None, parameters, len(dataset.classes))
    numParams = int(lasagne.layers.count_params(network))
    report += f"Number of parameters: {numParams}\n"
    content = {"parameters": parameters, "classes": dataset.classes, "numParams": numParams,
               "folds": [vars(outcome) for outcome in outcomes]}
    if any(outcome.true for outcome in outcomes):
        true, voted = (sum((getattr(outcome, part) for outcome in outcomes), []) for part in ("true", "voted"))
        labels = range(len(dataset.classes))
        figures = dict(labels=labels, target_names=dataset.classes, zero_division=0)
        report += "Songs by majority vote, all folds together:\n" + classification_report(true, voted, **figures)
        perClass = classification_report(true, voted, output_dict=True, **figures)
        content["perClass"] = {tag: perClass[tag] for tag in dataset.classes}
        files.write_confusion(confusion_matrix(true, voted, labels=labels), name)
    files.write_result(report, name)
    files.write_outcomes(content, name)
    print(f"########################\n{report}Written to {files.path_of(name, '.result')}\n"
          f"All of it on one page: python utils.py report {name.removeprefix(files.cross_validation(''))}")


def testModel(parameters):
    """Test the model parameters['mode'] on the test songs of each fold."""
    path = files.find_model(parameters["mode"])
    weights, about = files.load_model(path)
    if about:
        checkInput(path, about["parameters"], parameters)
    dataset = loadDatasets.load_dataset(parameters)
    checkModel(path, weights, about, dataset, parameters)
    checkBatches(dataset, parameters, ("test",))
    network = Network(buildArchitecture.buildNet, parameters, len(dataset.classes))
    network.set_weights(weights)
    seen = set(about.get("trainingSongs", ())) & set(dataset.names)
    if seen:
        print(f"Note: {len(seen)} of the {len(dataset.names)} songs were training songs of this model")
    outcomes = []
    for fold in range(parameters["folds"]):
        *_, test, _ = foldData(dataset, fold, parameters)
        if about.get("moments"):
            test.mean[:], test.std[:] = about["moments"]
        outcome, _ = testOn(network, test, Outcome(parameters["mode"], 0, 0, float("nan")), parameters)
        outcome.songs, outcome.fold = [dataset.names[song] for song in loadDatasets.split(dataset, fold, parameters)[2]], fold
        outcomes.append(outcome)
    summarise(outcomes, "Test_" + files.name_of(parameters, files.new_id()), dataset, parameters)
    return outcomes


def checkInput(path, made, parameters):
    """Refuse a model that was made, with the parameters `made`, for other spectrograms than those of `parameters`."""
    made, others = dict(settings.flat(made)), dict(settings.flat(parameters))
    differ = [key for key in INPUT if key in made and made[key] != others[key]]
    if differ:
        raise UserError(f"the model {path!r} was made with {' '.join(f'{key}={made[key]}' for key in differ)}, here it is "
                        f"{' '.join(f'{key}={others[key]}' for key in differ)}; add the former to the command line, or set them in run.py")


def checkModel(path, weights, about, dataset, parameters):
    """Refuse a model whose weights have other shapes than the network's, or that knows other classes than the data set's."""
    if about and about["classes"] != dataset.classes:
        raise UserError(f"the model {path!r} knows the classes {', '.join(about['classes'])}, "
                        f"data set {parameters['DS']['dataset']!r} has {', '.join(dataset.classes)}; they must be equal")
    network, _ = buildArchitecture.buildNet(None, parameters, len(dataset.classes))
    expected = [tuple(value.shape) for value in lasagne.layers.get_all_param_values(network)]
    found = [value.shape for value in weights]
    if found != expected:
        raise UserError(f"the model {path!r} is no {parameters['DL']['type']} for {len(dataset.classes)} classes: it has "
                        f"{len(found)} arrays and {sum(map(np.size, weights))} numbers, expected {len(expected)} arrays and "
                        f"{sum(int(np.prod(shape)) for shape in expected)} numbers; set DL.type and DS as in its .param file")


def checkData(runs, processes):
    """Refuse parameters of a sweep's runs that the data set of one of them, in so many processes, cannot be used with."""
    # once for those that differ in nothing that matters here
    distinct = {repr({**parameters, "DL": parameters["DL"]["batchSize"], "random_seed": 0}): parameters for parameters in runs}
    for parameters in distinct.values():
        checkBatches(loadDatasets.load_dataset(parameters, processes), parameters)


def checkBatches(dataset, parameters, parts=("training", "validation", "test")):
    """Refuse a batch size that leaves one of these parts of a fold without a batch."""
    size = parameters["DL"]["batchSize"] if parameters["asPublished"] else 1
    for fold in range(parameters["folds"]):
        split = dict(zip(("training", "validation", "test"), loadDatasets.split(dataset, fold, parameters)))
        for part, songs in ((part, split[part]) for part in parts):
            count = sum(map(len, loadDatasets.chunkStarts(dataset, songs, parameters)))
            if count < size:
                raise UserError(f"fold {fold + 1} has {count} {part} chunks of {len(songs)} songs, less than one batch of "
                                f"DL.batchSize={parameters['DL']['batchSize']}: lower DL.batchSize or chunkHop, take other "
                                "folds or splits, or use asPublished=False")


def aboutModel(dataset, this, moments):
    """What it takes to use the model of a fold: its classes, normalisation, parameters and songs."""
    parameters = this.parameters
    mean, std = moments
    train, validation, test = ([dataset.names[song] for song in songs]
                               for songs in loadDatasets.split(dataset, this.fold, parameters))
    return {"parameters": parameters, "classes": dataset.classes, "seed": this.run["seed"], "fold": this.fold,
            "architecture": architectures.source_hash(parameters["DL"]["type"], buildArchitecture),
            "versions": {package: version(package) for package in PACKAGES},
            "moments": [float(mean[0]), float(std[0])] if parameters["DS"]["inputNormWhere"] != "local" else None,
            "trainingSongs": train, "validationSongs": validation, "testSongs": test}


def baseSeed(parameters):
    """The seed that all random streams of a run come from."""
    return parameters["random_seed"] if parameters["use_random_seed"] else int(np.random.SeedSequence().entropy % 2**32)
