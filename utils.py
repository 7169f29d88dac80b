"""Pictures and tables of what runs left in data/results: `python utils.py NAME` draws the training curves."""

import csv
import difflib
import os
import re
import sys
from functools import lru_cache, partial

import numpy as np
from sklearn.metrics import confusion_matrix

from mirdl.errors import UserError, exit_on_user_error
from mirdl.results import figures, files, tables
from mirdl.results import filters as temporal
from mirdl.results import report as page
from mirdl.system.whole_files import whole

USAGE = """usage: python utils.py [COMMAND] NAME ...

NAME: DATASET_TYPE_ID, as in data/results: a whole run, or one fold of it (ID-f0)

  curves NAME ...             loss and accuracy over the epochs; of several runs in one picture (also without 'curves')
  confusion NAME              confusion matrix of the songs by majority vote: counts and shares
  filters NAME                the learnt filters over time, with their tempo and the class they speak for; also as a CSV
  activations NAME SONG ...   where in time and in which bands the strongest filters fire in audio files
  songs NAME                  the misclassified songs with their votes
  compare NAME NAME ...       a table: parameters, accuracies, epochs, seconds, paired test over folds
  report NAME [SONG ...]      all of it on one HTML page that needs nothing else

Pictures are saved in data/results. filters and activations of a whole run take its model with the best validation accuracy."""


def main(arguments):
    """Do what the command line asks for, and say what was saved."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return
    command, *names = arguments if arguments and arguments[0] in COMMANDS else ["curves", *arguments]
    near = difflib.get_close_matches(names[0], COMMANDS, 1) if names and names == arguments else []
    if near:
        raise UserError(f"{names[0]!r} is neither a command nor the name of a run; did you mean {near[0]}?")
    function, least, most = COMMANDS[command]
    if not least <= len(names) <= most:
        raise UserError(f"{command} takes {least}{'' if least == most else ' or more'} name(s), {len(names)} given; "
                        "see python utils.py --help")
    print(function(*names))


def curves(*names):
    """Draw loss and accuracy over the epochs; see `figures.curves`.

    Parameters
    ----------
    *names : str
        Runs (all their folds) or single folds.

    Returns
    -------
    str
        The path of the picture, NAME.png in data/results.

    Raises
    ------
    UserError
        If there is no such run, or its table is damaged.
    """
    title = names[0] if len(names) == 1 else f"Compared_{names[0]}_and_{len(names) - 1}_more"
    return figures.save(_curves(*names)(), files.path_of(title, ".png"))


def trainingEvolution(name):
    """Draw the training curves of one run, or of a whole cross-validation; the path of the picture."""
    return curves(name)


def confusion(name):
    """Draw the confusion matrix of a run's songs by majority vote; the path of the picture, NAME.confusion.png."""
    return figures.save(_confusion(name)(), files.path_of(name, ".confusion.png"))


def filters(name):
    """Draw a model's temporal filters, and list them all in NAME.filters.csv; the path of the picture, NAME.filters.png."""
    found, classes, _ = _model(name)
    with whole(files.path_of(name, ".filters.csv")) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["frames", "seconds", "bpm", "class", "outputWeight"])
        table.writerows([len(one.weights), f"{one.seconds:.3f}", "" if np.isnan(one.tempo) else f"{one.tempo:.0f}",
                         "" if one.feeds is None else classes[one.feeds], f"{one.weight:.6g}"] for one in found)
    return figures.save(_filters(name)(), files.path_of(name, ".filters.png"))


def activations(name, *songs):
    """Draw where a model's strongest filters fire in audio files.

    Parameters
    ----------
    name : str
        A model, or a run.
    *songs : str
        Paths of audio files.

    Returns
    -------
    str
        The paths of the pictures, NAME.activations.SONG.png, one a line.

    Raises
    ------
    UserError
        If a song cannot be read or is too short, or the network has no temporal filters.
    """
    return "\n".join(figures.save(_activations(song, name)(), files.path_of(
        name, f".activations.{re.sub('[^-. 0-9A-Za-z]', '_', _titleOf(song))[:60]}.png")) for song in songs)


def songs(name):
    """The misclassified songs of a run with their votes, as a text."""
    content = files.read_outcomes(name)
    wrong = tables.misclassified(content)
    return f"{tables.text(wrong)}\n{len(wrong)} of {sum(len(fold['true']) for fold in content['folds'])} songs"


def compare(*names):
    """What several runs came to, beside each other, as a text."""
    return tables.text(tables.comparison({name: files.read_outcomes(name) for name in names}))


def report(name, *songs):
    """Write all that is known of a run on one HTML page that needs nothing else.

    Parameters
    ----------
    name : str
    *songs : str
        Paths of audio files, to show where the strongest filters fire in them.

    Returns
    -------
    str
        The path of the page, NAME.html in data/results.
    """
    content, drawings = files.read_outcomes(name), {}
    for title, prepare in (("Training curves", _curves), ("Confusion of songs", _confusion), ("Filters over time", _filters),
                           *[(f"Activations in {_titleOf(song)}", partial(_activations, song)) for song in songs]):
        try:
            drawings[title] = prepare(name)
        except UserError as error:      # a model that was only tested has no curves, another network no temporal filters
            print(f"without {title.lower()}: {error}", file=sys.stderr)
    path = files.path_of(name, ".html")
    with whole(path) as file:
        file.write(page.html(name, content, drawings))
    return path


def _curves(*names):
    """Draws the training curves of runs, when called."""
    runs = {name: [files.read_training(run) for run in files.runs(name)] for name in names}
    empty = [name for name, folds in runs.items() if not any(len(fold["epoch"]) for fold in folds)]
    if empty:
        raise UserError(f"the run {empty[0]!r} has no epoch yet")
    return lambda: figures.curves(runs)


def _confusion(name):
    """Draws the confusion matrix of a run's songs, when called."""
    content = files.read_outcomes(name)
    true, voted = (sum((fold[part] for fold in content["folds"]), []) for part in ("true", "voted"))
    if not true:
        raise UserError(f"the run {name!r} has no votes of songs: it was run with testMethod=utterances")
    matrix = confusion_matrix(true, voted, labels=range(len(content["classes"])))
    return lambda: figures.confusion(matrix, content["classes"], name)


def _filters(name):
    """Draws the temporal filters of a model, when called."""
    found = _model(name)
    return lambda: figures.filters(*found)


def _activations(song, name):
    """Draws where a model's strongest filters fire in an audio file, when called."""
    found, classes, model = _model(name)
    answer = _tagger(model).tag(song)
    if answer.problem:
        raise UserError(f"{song!r} {answer.problem}")
    fired = temporal.strongest(found, answer.spectrogram, answer.label, 5)
    return lambda: figures.activations(answer.spectrogram, fired, classes, answer.label, _titleOf(song))


@lru_cache(1)       # for the next song
def _tagger(model):
    import predict  # only here: the other commands need none of the seconds in which Theano is loaded
    return predict.Tagger(model)


def _titleOf(song):
    """The name of an audio file without its folder and ending."""
    return os.path.splitext(os.path.basename(song))[0]


def _model(name):
    """The temporal filters of the model `name` or of a run's best model, the names of the classes, and the model's name."""
    model = files.best_model(name)
    values, about = files.load_model(files.find_model(model))
    if not about:
        raise UserError(f"the model {model!r} does not say what it is made for: it was not written by this program")
    return temporal.find_filters(values, about), about["classes"], model


COMMANDS = {    # name -> function, fewest and most names
    "curves": (curves, 1, 99), "confusion": (confusion, 1, 1), "filters": (filters, 1, 1), "activations": (activations, 2, 99),
    "songs": (songs, 1, 1), "compare": (compare, 1, 99), "report": (report, 1, 99)}

if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
