"""The one table of the parameters, and how the command line overrides them.

run.py holds a run's values. This table says what each may be, what it is in the published program,
and what it acts on; every list of keys elsewhere is a query of it.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from mirdl import kinds
from mirdl.errors import UserError
from mirdl.frames import LOGARITHMS, MAGNITUDES, MEL, MUSICNN, MUSICNN_MEL, frames_of

# what a parameter acts on
SPECTROGRAM = "the spectrograms"
INPUT = "the network's input"
EXPERIMENT = "the experiment"
EXECUTION = "only how the work is done"     # no number and no file of a run depends on it

Parameters = dict[str, Any]


class Setting(NamedTuple):
    """One parameter.

    Attributes
    ----------
    key : str
        As on the command line; 'DL.lr' is parameters["DL"]["lr"].
    default : object
        The published value.
    kind : Kind
    meaning : str
    role : str
        `SPECTROGRAM`, `INPUT`, `EXPERIMENT` or `EXECUTION`.
    """

    key: str
    default: Any
    kind: kinds.Kind
    meaning: str
    role: str = EXPERIMENT


SETTINGS = {setting.key: setting for setting in (
    Setting("DL.type", "oNetEightpNetEight",
            kinds.name("the name of a function of buildArchitecture.py"), "the network"),
    Setting("recipe", "published", kinds.choice("published", "today", "transfer"),
            "a set of settings, which replaces those that have their published value"),
    Setting("chunkHop", 250, kinds.integer(1),
            "frames from the start of a chunk to the start of the next"),
    # labels are uint8 up to 255 classes: 256 and more cannot be a class
    Setting("errorCode", 999, kinds.integer(256), "the class of a song that has no votes"),
    Setting("testMethod", "all", kinds.choice("all", "majorityVote", "utterances"),
            "what is tested: songs by majority vote, chunks (utterances), or both"),
    Setting("mode", "train",
            kinds.name("'train' or the name of a model in data/results or data/preloaded/models"),
            "train, or test this model"),
    Setting("folds", 10, kinds.integer(1),
            "folds of the cross-validation; 1: a fixed split by trainSplit and testSplit"),
    Setting("trainSplit", 0.8, kinds.SHARE, "share of the songs to train on; only with folds=1"),
    Setting("testSplit", 0.1, kinds.SHARE,
            "share of the songs to test; only with folds=1; the rest validates"),
    Setting("validation", "published", kinds.VALIDATION,
            "the songs that validate: as published, or a share, rounded to 1/n; 0: none, the last "
            "model counts"),
    Setting("trainShare", 1.0, kinds.POSITIVE_SHARE,
            "share of each tag's training songs (or of their groups) that train; with a sweep over "
            "it, the learning curve"),
    Setting("randomTry", 1, kinds.integer(1),
            "random initialisations tried in each fold; the best one counts"),
    Setting("random_seed", 11, kinds.integer(0),
            "seed of the chunks' order, initial weights, batches and dropout"),
    Setting("use_random_seed", True, kinds.FLAG, "False: another seed in each run"),
    Setting("stratified", False, kinds.FLAG, "each class has the same share in every fold"),
    Setting("checkpointEvery", 1, kinds.integer(1),
            "minimum number of epochs between saved states (saving takes 2 % of the time at most)",
            EXECUTION),
    Setting("asPublished", True, kinds.FLAG,
            "keep the choices of the published program that change numbers"),
    Setting("baselines", True, kinds.FLAG,
            "after training, simple classifiers are tested on the same folds and training songs"),
    Setting("unknown", "texture", kinds.choice("texture", "musicnn"),
            "what tells songs unlike those of the run: the texture of their mel bands, or that and "
            "the numbers that the published network musicnn gives for them"),
    Setting("workers", 1, kinds.integer(1), "trainings that run at once, each in its own process",
            EXECUTION),
    Setting("cluster", "",
            kinds.text("'' (this machine), the address of a Dask scheduler (tcp://host:8786) or "
                       "its scheduler file"),
            "train on this Dask cluster instead", EXECUTION),
    Setting("foldsTogether", False, kinds.FLAG,
            "train all folds of a small network at once on one device, ideally a GPU", EXECUTION),
    Setting("quiet", False, kinds.FLAG, "no progress bars", EXECUTION),
    Setting("sweep", "",
            kinds.text("'' (one run), or lists of values whose product is run: "
                       "DL.type=oNetOne,pNetOne chunkHop=250,80"),
            "run every combination of these values, then compare them", EXECUTION),
    Setting("DL.start", "", kinds.choice("", *MUSICNN),
            "the published weights that DL.type=musicnn starts from, but for its last layer"),
    Setting("DL.num_epochs", 250, kinds.integer(1), "epochs at most"),
    Setting("DL.batchSize", 50, kinds.integer(1), "chunks in a batch"),
    Setting("DL.lr", 0.01, kinds.number("a number above 0", lambda value: value > 0),
            "learning rate at the start"),
    Setting("DL.momentum", 0.0,
            kinds.number("a number from 0 to below 1", lambda value: 0 <= value < 1),
            "momentum, if DL.update is 'momentum' or 'nesterov_momentum'"),
    Setting("DL.update", "nesterov_momentum",
            kinds.choice("sgd", "momentum", "nesterov_momentum", "adagrad", "rmsprop", "adadelta",
                    "adam"),
            "the rule of lasagne.updates that changes the weights"),
    Setting("DL.weightDecay", 0.0, kinds.number("a number of 0 or more", lambda value: value >= 0),
            "share of the weights, times the learning rate, that each step removes"),
    Setting("DL.schedule", "published", kinds.choice("published", "cosine"),
            "the learning rate: halved when the training loss rises, or half a cosine down to 0"),
    Setting("DL.classWeights", "none", kinds.choice("none", "balanced"),
            "'balanced': all classes count equally in the loss, whatever their numbers of chunks"),
    Setting("DL.cost", "crossentropy", kinds.choice("crossentropy", "squared_error"), "the loss"),
    Setting("DS.dataset", "Ballroom", kinds.name("the name of a folder in data/datasets"),
            "the data set: a folder that holds one folder of songs per class"),
    # The names of files in data/preloaded hold these in this order
    Setting("DS.frameSize", 2048, kinds.EVEN, "samples of a frame, at 44.1 kHz", SPECTROGRAM),
    Setting("DS.hopSize", 1024, kinds.integer(1),
            "samples from the start of a frame to the start of the next", SPECTROGRAM),
    Setting("DS.specTransform", "mel",
            kinds.choice(MEL, MAGNITUDES, MUSICNN_MEL, *MUSICNN),
            "energies of mel bands, magnitudes of all bins, musicnn's 96 mel bands, or windows of "
            "3 s: what the published network musicnn makes of them", SPECTROGRAM),
    Setting("DS.melBands", 40, kinds.integer(2), "mel bands, if specTransform is 'mel'",
            SPECTROGRAM),
    Setting("DS.windowType", "blackmanharris62", kinds.WINDOW, "window of a frame", SPECTROGRAM),
    Setting("DS.level", "as-is", kinds.choice("as-is", "rms"),
            "how loud songs are: as they are, or each brought to one mean energy, so that a gain "
            "changes nothing", SPECTROGRAM),
    Setting("DS.numChannels", 1, kinds.ONE, "channels of the network's input"),
    Setting("DS.xInput", 250, kinds.integer(1), "frames of a chunk", INPUT),
    Setting("DS.short", "leave", kinds.choice("leave", "pad", "repeat"),
            "songs too short for a chunk: left out, or lengthened to one by frames without energy, "
            "or by repeating the song", INPUT),
    Setting("DS.inputNorm", "log0m1v", kinds.choice("log0m1v", "bands", "None"),
            "'log0m1v': log10(10000 x + 1), then mean 0 and variance 1; 'bands': each band's own "
            "mean and variance, no logarithm", INPUT),
    Setting("DS.inputNormWhere", "global", kinds.choice("global", "local", "train"),
            "mean and variance over all songs, each song, or the fold's training songs", INPUT),
    Setting("DS.augment", "", kinds.AUGMENT, "how training chunks are altered, anew in each epoch"),
    Setting("DS.store", "auto", kinds.choice("auto", "memory", "disk"),
            "where spectrograms are kept; 'auto': on disk if all processes together would need "
            "more than a quarter of the memory", EXECUTION),
    Setting("DS.groups", "",
            kinds.text("'' or None (no groups), a CSV file or a regular expression"),
            "songs that stay together in a fold: a CSV file with the columns song and group, or "
            "a regular expression on TAG/file"),
    Setting("DS.split", "",
            kinds.text("'' (the data set's own split, if it has one), 'none', the name of a split "
                       "that its loader offers, or a CSV file"),
            "which songs train, validate and test: a CSV file with the columns song and fold, or "
            "song and part (train, validation, test)"),
    Setting("DS.labels", "",
            kinds.text("'' (the tags are the folders' names), a CSV file or a folder"),
            "the tags of the songs: a CSV file with the columns song and tag, with a row for each "
            "tag; or of stretches of time: one with song, start, end and tag, or a folder of label "
            "files"),
    Setting("DS.leastSongs", 5, kinds.integer(1),
            "where a song may have several tags, those that fewer songs have are left out"),
    Setting("DS.background", "", kinds.text("'' (it is not used) or a tag"),
            "the tag of what is not labelled, where DS.labels has stretches of time"),
    Setting("DS.replicas", "keep", kinds.choice("keep", "drop", "together"),
            "known replicas: keep both, drop one of each pair, or keep them in one fold"),
    Setting("DS.duplicates", "note", kinds.choice("note", "together", "drop"),
            "songs that share sound, found before training: name them, keep them in one fold, or "
            "drop all but one"),
)}

# derived from others, so not settings; their values are in the checked parameters
DERIVED = {"DS.yInput": "DS.melBands (or, for magnitudeSTFT, DS.frameSize) and DS.specTransform",
           "valSplit": "trainSplit and testSplit"}


def keys(*roles: str) -> tuple[str, ...]:
    """List the keys of the settings that have one of these roles."""
    return tuple(setting.key for setting in SETTINGS.values() if setting.role in roles)


def published() -> Parameters:
    """Give the parameters of the published program, nested as in run.py."""
    return nested({key: setting.default for key, setting in SETTINGS.items()})


def override(parameters: Parameters, arguments: list[str],
             tell: Callable[[str], Any] = lambda line: print(f"override: {line}")) -> Parameters:
    """Apply the command line's overrides to a copy of the parameters.

    Parameters
    ----------
    parameters : dict
        Nested, as in run.py.
    arguments : list of str
        Each 'key=value', for instance 'DL.lr=0.02' or 'folds=4'.
    tell : callable
        Takes a line of text for each override.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        For an argument of another form, an unknown key (answered with the nearest one) or a
        value of the wrong type.
    """
    values = dict(flat(parameters))
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals:
            raise UserError(f"argument {argument!r} is not of the form key=value, for instance "
                            "DL.type=pNetOne; 'python run.py --help' lists the keys")
        _check_known(key)
        kind, value = SETTINGS[key].kind.type, text
        if kind is bool:
            value = {"true": True, "false": False}.get(text.lower(), text)
        else:
            with suppress(ValueError):      # `allowed` refuses it
                value = kind(text)
        value = allowed(key, value)
        tell(f"{key} = {value!r} (was {values.get(key)!r})")
        values[key] = value
    return nested(values)


def check(parameters: Parameters) -> Parameters:
    """Check every parameter and add those that follow from others (DS.yInput, valSplit).

    Parameters
    ----------
    parameters : dict
        Nested, as in run.py. It is not changed.

    Returns
    -------
    dict
        A checked copy, to be read only.

    Raises
    ------
    UserError
        For a key that is missing or unknown, or a value that is not allowed.
    """
    values = dict(flat(parameters))
    for key in values:
        if key not in DERIVED:
            _check_known(key)
    for key, setting in SETTINGS.items():
        if key not in values:
            raise UserError(f"the parameter {key} is missing; it must be {setting.kind.expected}")
        values[key] = allowed(key, values[key])
    _check_together(nested(values))
    derived = {"valSplit": 1 - values["trainSplit"] - values["testSplit"],
               "DS.yInput": frames_of(nested(values)["DS"]).bands}
    for key, value in derived.items():
        if values.setdefault(key, value) != value:
            raise UserError(f"{key}={values[key]!r} contradicts {DERIVED[key]}, from which it "
                            f"follows ({value!r}); leave it out")
    return nested(values)


def _check_together(parameters: Parameters) -> None:
    """Refuse values that are allowed one by one but contradict each other."""
    data, train, test = parameters["DS"], parameters["trainSplit"], parameters["testSplit"]
    if train + test > 1:
        raise UserError(f"trainSplit={train} and testSplit={test} add up to more than 1; "
                        "lower one, as validation gets the rest")
    if data["specTransform"] == MEL and data["melBands"] > data["frameSize"] // 2:
        raise UserError(f"DS.melBands={data['melBands']} is more than a spectrum of "
                        f"DS.frameSize={data['frameSize']} samples can be divided into; the "
                        "published values are DS.melBands=40 DS.frameSize=2048")
    if data["specTransform"] in LOGARITHMS and data["inputNorm"] == "log0m1v":
        raise UserError(f"DS.inputNorm=log0m1v takes logarithms, but DS.specTransform="
                        f"{data['specTransform']} has taken them; set DS.inputNorm=bands or None")
    if data["specTransform"] in MUSICNN and data["short"] == "pad":
        raise UserError("DS.short=pad adds silence, but windows of DS.specTransform="
                        f"{data['specTransform']} have no number for it; set DS.short=repeat")
    grouped = (parameters["stratified"] or data["groups"]
               or "together" in (data["replicas"], data["duplicates"]))
    if parameters["folds"] == 1 and grouped and not data["split"]:
        raise UserError("folds=1 is the published program's fixed split, but stratified, "
                        "DS.groups, DS.replicas=together and DS.duplicates=together need folds of "
                        "2 or more; set folds=2 or more")
    learning = parameters["DL"]
    if learning["start"] and (learning["type"], data["specTransform"]) != ("musicnn", MUSICNN_MEL):
        raise UserError(f"DL.start={learning['start']} are weights of musicnn; they need "
                        f"DL.type=musicnn DS.specTransform={MUSICNN_MEL} DS.inputNorm=None, not "
                        f"DL.type={learning['type']} DS.specTransform={data['specTransform']}")
    if learning["momentum"] and learning["update"] not in ("momentum", "nesterov_momentum"):
        raise UserError(f"DL.momentum={learning['momentum']} is not used by DL.update="
                        f"{learning['update']}; set DL.momentum=0 or DL.update=momentum or "
                        "DL.update=nesterov_momentum")
    if kinds.validation_share(parameters["validation"]) == 0 and parameters["randomTry"] > 1:
        raise UserError("validation=0 leaves no songs by which to choose among randomTry="
                        f"{parameters['randomTry']} trainings; set randomTry=1")
    if parameters["sweep"] and parameters["mode"] != "train":
        raise UserError(f"sweep={parameters['sweep']} trains networks; it needs mode=train, not "
                        f"mode={parameters['mode']}")
    if parameters["foldsTogether"] and (parameters["workers"] > 1 or parameters["cluster"]):
        raise UserError("foldsTogether=True trains all folds in one process on one device; it "
                        "needs workers=1 and no cluster, not "
                        f"workers={parameters['workers']} cluster={parameters['cluster']!r}")


def changed(parameters: Parameters, overrides: list[str]) -> Parameters:
    """Override some checked parameters of a run, and derive again what follows from them.

    Raises
    ------
    UserError
        As `override` and `check`.
    """
    values = flat(override(parameters, overrides, tell=str))
    return divide(complete(nested({key: value for key, value in values if key not in DERIVED})))[0]


def that_work(ways: Iterable[str], parameters: Parameters,
              attempt: Callable[[Parameters], Any]) -> Iterator[str]:
    """Yield the ways to change the parameters that help, so that no others are advised.

    Parameters
    ----------
    ways : iterable of str
        Each is one or more overrides: 'DS.xInput=80 chunkHop=80'.
    parameters : dict
        Checked parameters of a run.
    attempt : callable
        Takes the changed parameters; raises UserError if they do not help.
    """
    for way in ways:
        with suppress(UserError):
            attempt(changed(parameters, way.split()))
            yield way


def complete(parameters: Parameters) -> Parameters:
    """Check the parameters of a model, which another version may have written.

    Settings that they lack get their published values.

    Raises
    ------
    UserError
        For a key that is unknown here, or a value that is not allowed.
    """
    if not all(isinstance(parameters.get(group, {}), dict) for group in ("DL", "DS")):
        raise UserError(f"{parameters!r:.200} are not settings: DL and DS must be dicts")
    given, defaults = dict(flat(parameters)), dict(flat(published()))
    # what is missing comes after what is given, as a resumed run writes its files again
    return check(nested({**given, **defaults, **given}))


def divide(parameters: Parameters) -> tuple[Parameters, Parameters]:
    """Divide parameters into what the experiment is, and how its work is done.

    Returns
    -------
    parameters : dict
        Without the settings of the role `EXECUTION`.
    execution : dict
        These settings, not nested: 'workers', 'DS.store' ...
    """
    values = dict(flat(parameters))
    execution = {key: values.pop(key) for key in keys(EXECUTION)}
    return nested(values), execution


def divide_resume(arguments: list[str]) -> tuple[str | None, list[str]]:
    """Find 'resume=ID' among the arguments.

    Returns
    -------
    run_id : str or None
        The run to resume.
    others : list of str
        The other arguments.

    Raises
    ------
    UserError
        If a setting of another role comes with it: a stopped run keeps its parameters.
    """
    asked = [argument for argument in arguments if argument.startswith("resume=")]
    others = [argument for argument in arguments if argument not in asked]
    allowed = [key for key in keys(EXECUTION) if key != "sweep"]
    if len(asked) > 1 or asked and not {other.partition("=")[0] for other in others} <= {*allowed}:
        raise UserError(f"{asked[0]} keeps the parameters that the run was started with; "
                        f"leave out the other arguments (but for {', '.join(allowed)})")
    return asked[0].removeprefix("resume=") if asked else None, others


def help_text(parameters: Parameters) -> str:
    """Write what `python run.py --help` prints: each key, its value, and what it may be."""
    values = dict(flat(parameters))
    rows = [f"  {key + '=' + str(values[key]):32} {setting.meaning}\n{'':35}"
            f"{setting.kind.expected}" for key, setting in SETTINGS.items()]
    return "\n".join([
        "usage: python run.py [key=value ...]",
        "       python run.py resume=ID      resume a stopped run (resume=last: the latest); "
        "how the work is done (workers, cluster, DS.store ...) may change",
        "", "Keys with the values of run.py, and what they may be:", *rows])


def flat(parameters: Parameters) -> Iterator[tuple[str, Any]]:
    """Yield the key ('DL.lr') and the value of every parameter."""
    for key, value in parameters.items():
        group, dot, leaf = str(key).partition(".")
        if dot:
            raise UserError(f"the parameter {key!r} belongs in parameters[{group!r}][{leaf!r}]")
        if isinstance(value, dict) and any(known.startswith(f"{key}.") for known in SETTINGS):
            yield from ((f"{key}.{leaf}", inner) for leaf, inner in value.items())
        else:
            yield str(key), value


def nested(values: dict[str, Any]) -> Parameters:
    """Give parameters by key ('DL.lr') as run.py nests them."""
    parameters = {}
    for key, value in values.items():
        group, _, leaf = key.rpartition(".")
        (parameters.setdefault(group, {}) if group else parameters)[leaf] = value
    return parameters


def allowed(key: str, value: object) -> object:
    """Check the value of a setting; give it in the setting's type.

    Raises
    ------
    UserError
        If it is not allowed.
    """
    kind, expected, allows = SETTINGS[key].kind
    if key == "DS.groups" and value in (None, "None"):
        value = ""
    if kind is str and type(value) in (int, float):     # validation = 0.1 in run.py
        value = str(value)
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**53 else value
    if type(value) is not kind or not allows(value):
        raise UserError(f"{key}={value if isinstance(value, str) else repr(value)} "
                        f"is not allowed: expected {expected}")
    return value


def _check_known(key: str) -> None:
    if key in SETTINGS:
        return
    if key in DERIVED:
        raise UserError(f"{key} is not set by itself: it follows from {DERIVED[key]}; "
                        "set that instead")
    leaves = {known.rpartition(".")[2].lower(): known for known in SETTINGS}
    near = difflib.get_close_matches(key.rpartition(".")[2].lower(), leaves, 1, 0.5)
    hint = f"; did you mean {leaves[near[0]]}?" if near else ""
    raise UserError(f"unknown parameter {key!r}{hint} ('python run.py --help' lists them all)")
