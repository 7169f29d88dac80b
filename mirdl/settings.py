"""Which parameters exist, what each may be, and how the command line overrides them.

The values themselves stand in run.py; this is the only module that knows the keys.
"""

import copy
import difflib
import math
from typing import Callable, NamedTuple

from mirdl.errors import UserError


class Setting(NamedTuple):
    """One parameter: its type, the words for what it may be, and the test for that."""

    kind: type
    expected: str
    allows: Callable


def _integer(least):
    return Setting(int, f"a whole number of {least} or more", lambda value: least <= value < 2**31)


def _number(expected, allows):
    return Setting(float, expected, lambda value: math.isfinite(value) and allows(value))


def _choice(*choices):
    return Setting(str, "one of " + ", ".join(map(repr, choices)), lambda value: value in choices)


def _name(expected):
    # a name becomes part of file names: it must not climb out of data/
    return Setting(str, expected, lambda value: bool(value) and value == value.strip() and value.isprintable()
                   and not value.startswith(".") and not set(value) & set('/\\:*?"<>|'))


def _text(expected):
    return Setting(str, expected, str.isprintable)


_FLAG = Setting(bool, "True or False", lambda value: True)
_SHARE = _number("a share from 0 to 1", lambda value: 0 <= value <= 1)

SETTINGS = {
    "DL.type": _name("the name of a function of buildArchitecture.py"),
    "chunkHop": _integer(1),
    "errorCode": _integer(256),         # labels are uint8: 256 and up can be no class
    "testMethod": _choice("all", "majorityVote", "utterances"),
    "mode": _name("'train' or the name of a model in data/results or data/preloaded/models"),
    "folds": _integer(1),
    "trainSplit": _SHARE,
    "testSplit": _SHARE,
    "randomTry": _integer(1),
    "random_seed": _integer(0),
    "use_random_seed": _FLAG,
    "asPublished": _FLAG,
    "stratified": _FLAG,
    "checkpointEvery": _integer(1),
    "workers": _integer(1),
    "cluster": _text("'' (this machine), the address of a Dask scheduler (tcp://host:8786) or its scheduler file"),
    "foldsTogether": _FLAG,
    "quiet": _FLAG,
    "sweep": _text("'' (one run), or lists of values whose product is run: DL.type=oNetOne,pNetOne chunkHop=250,80"),
    "DL.num_epochs": _integer(1),
    "DL.batchSize": _integer(1),
    "DL.lr": _number("a number above 0", lambda value: value > 0),
    "DL.momentum": _number("a number from 0 to below 1", lambda value: 0 <= value < 1),
    "DL.cost": _choice("crossentropy", "squared_error"),
    "DS.dataset": _name("the name of a folder in data/datasets"),
    "DS.frameSize": Setting(int, "an even whole number from 2 to 1048576", lambda value: 2 <= value <= 2**20 and value % 2 == 0),
    "DS.hopSize": _integer(1),
    "DS.specTransform": _choice("mel", "magnitudeSTFT"),
    "DS.numChannels": Setting(int, "1 (a spectrogram has one channel)", lambda value: value == 1),
    "DS.windowType": _choice("hamming", "hann", "hannnsgcq", "triangular", "square", "blackmanharris62",
                             "blackmanharris70", "blackmanharris74", "blackmanharris92"),
    "DS.melBands": _integer(2),
    "DS.xInput": _integer(1),
    "DS.inputNorm": _choice("log0m1v", "None"),
    "DS.inputNormWhere": _choice("global", "local", "train"),
    "DS.store": _choice("auto", "memory", "disk"),
    "DS.groups": _text("'' or None (no groups), a CSV file or a regular expression"),
    "DS.replicas": _choice("keep", "drop", "together"),
}

# how the work is done, not what it is: they change no file and may be others when a run is resumed
MEANS = ("workers", "cluster", "sweep", "quiet", "foldsTogether")

# follow from others, so they are no settings; the values stand in the settled parameters
DERIVED = {"DS.yInput": "DS.melBands (or, for magnitudeSTFT, DS.frameSize)", "valSplit": "trainSplit and testSplit"}


def override(parameters, arguments, tell=print):
    """A copy of `parameters` with the command line's overrides, each told.

    Parameters
    ----------
    parameters : dict
        Nested, as in run.py.
    arguments : list of str
        Each 'key=value', for instance 'DL.lr=0.02' or 'folds=4'.
    tell : callable
        Takes a line of text.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        For an argument of another form, an unknown key (answered with the nearest one) or a value of the wrong type.
    """
    parameters = copy.deepcopy(parameters)
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals:
            raise UserError(f"argument {argument!r} is not of the form key=value, for instance DL.type=pNetOne; "
                            "'python run.py --help' lists the keys")
        _known(key)
        group, leaf = _place(parameters, key)
        value = _parse(key, text)
        tell(f"override: {key} = {value!r} (was {group.get(leaf)!r})")
        group[leaf] = value
    return parameters


def check(parameters):
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
    parameters = copy.deepcopy(parameters)
    given = dict(flat(parameters))
    for key in given:
        if key not in DERIVED:
            _known(key)
    for key, setting in SETTINGS.items():
        if key not in given:
            raise UserError(f"the parameter {key} is missing; it must be {setting.expected}")
        group, leaf = _place(parameters, key)
        group[leaf] = _checked(key, given[key])
    trainSplit, testSplit, dataset = parameters["trainSplit"], parameters["testSplit"], parameters["DS"]
    if trainSplit + testSplit > 1:
        raise UserError(f"trainSplit={trainSplit} and testSplit={testSplit} add up to more than 1; validation has the rest")
    if dataset["specTransform"] == "mel" and dataset["melBands"] > dataset["frameSize"] // 2:
        raise UserError(f"DS.melBands={dataset['melBands']} is more than a spectrum of DS.frameSize={dataset['frameSize']} "
                        f"samples can be divided into ({dataset['frameSize'] // 2} at the very most)")
    if parameters["folds"] == 1 and (parameters["stratified"] or dataset["groups"] or dataset["replicas"] == "together"):
        raise UserError("folds=1 is the published program's fixed split: stratified, DS.groups and DS.replicas=together need folds "
                        "of 2 or more")
    if parameters["sweep"] and parameters["mode"] != "train":
        raise UserError(f"sweep={parameters['sweep']} trains networks; it needs mode=train, not mode={parameters['mode']}")
    if parameters["foldsTogether"] and (parameters["workers"] > 1 or parameters["cluster"]):
        raise UserError("foldsTogether=True trains all folds in one process on one device; it needs workers=1 and no cluster, not "
                        f"workers={parameters['workers']} cluster={parameters['cluster']!r}")
    _derive(parameters, "valSplit", 1 - trainSplit - testSplit)
    _derive(parameters, "DS.yInput",
            dataset["melBands"] if dataset["specTransform"] == "mel" else dataset["frameSize"] // 2 + 1)
    return parameters


def completed(parameters, defaults):
    """`parameters`, those of a model of another version perhaps, with the `defaults` for what they do not name, checked."""
    if not all(isinstance(parameters.get(group, {}), dict) for group in ("DL", "DS")):
        raise UserError(f"{parameters!r:.200} are no parameters")
    return check({**defaults, **parameters, **{group: {**defaults[group], **parameters.get(group, {})} for group in ("DL", "DS")}})


def apart(parameters):
    """Checked parameters without those of `MEANS`, and these."""
    return ({key: value for key, value in parameters.items() if key not in MEANS}, {key: parameters[key] for key in MEANS})


def take_resume(arguments):
    """The run that 'resume=ID' asks to go on with, or None, and the other arguments: of `MEANS` only, as that run has its parameters."""
    asked = [argument for argument in arguments if argument.startswith("resume=")]
    others = [argument for argument in arguments if argument not in asked]
    means = {argument.partition("=")[0] for argument in others} <= set(MEANS) - {"sweep"}
    if len(asked) > 1 or asked and not means:
        raise UserError(f"{asked[0]} goes on with the parameters that the run was begun with; leave out the other arguments "
                        "(but for workers, cluster, foldsTogether and quiet)")
    return asked[0].removeprefix("resume=") if asked else None, others


def asks_for_help(arguments):
    """Whether -h or --help is among the arguments."""
    return bool({"-h", "--help", "help"} & set(arguments))


def help(parameters):
    """The text of `python run.py --help`: every key, its value in run.py and what it may be."""
    values = dict(flat(parameters))
    rows = [f'  {key + "=" + str(values[key]):32} {setting.expected}' for key, setting in SETTINGS.items()]
    usage = ["usage: python run.py [key=value ...]",
             "       python run.py resume=ID      go on with a stopped run (resume=last: the latest), with workers=, cluster= and "
             "foldsTogether= as you like"]
    return "\n".join([*usage, "", "Keys with the values of run.py:", *rows])


def _known(key):
    if key in SETTINGS:
        return
    if key in DERIVED:
        raise UserError(f"{key} is not set by itself: it follows from {DERIVED[key]}; set that instead")
    leaves = {known.rpartition(".")[2].lower(): known for known in SETTINGS}
    near = difflib.get_close_matches(key.rpartition(".")[2].lower(), leaves, 1, 0.5)
    hint = f"; did you mean {leaves[near[0]]}?" if near else ""
    raise UserError(f"unknown parameter {key!r}{hint} ('python run.py --help' lists them all)")


def _parse(key, text):
    kind = SETTINGS[key].kind
    if kind is bool:
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif kind is str:
        value = "" if key == "DS.groups" and text == "None" else text
    else:
        try:
            value = kind(text)
        except ValueError:
            value = text
    return _checked(key, value)


def _checked(key, value):
    kind, expected, allows = SETTINGS[key]
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**53 else value
    if type(value) is not kind or not allows(value):
        raise UserError(f"{key}={value if isinstance(value, str) else repr(value)} is not allowed: expected {expected}")
    return value


def _derive(parameters, key, value):
    group, leaf = _place(parameters, key)
    if group.get(leaf, value) != value:
        raise UserError(f"{key}={group[leaf]!r} contradicts {DERIVED[key]}, from which it follows ({value!r}); leave it out")
    group[leaf] = value


def _place(parameters, key):
    """The dict that holds `key`, and the key's name in it."""
    group, _, leaf = key.rpartition(".")
    return (parameters.setdefault(group, {}) if group else parameters), leaf


def flat(parameters):
    """Key ('DL.lr') and value of every parameter."""
    for key, value in parameters.items():
        group, dot, leaf = str(key).partition(".")
        if dot:
            raise UserError(f"the parameter {key!r} is to stand as parameters[{group!r}][{leaf!r}]")
        if isinstance(value, dict) and any(known.startswith(f"{key}.") for known in SETTINGS):
            yield from ((f"{key}.{leaf}", inner) for leaf, inner in value.items())
        else:
            yield str(key), value
