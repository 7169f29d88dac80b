"""Pictures and tables of what runs left in data/results.

`python utils.py NAME` draws the training curves.
"""

import argparse
import csv
import difflib
import io
import math
import os
import sys
from collections import Counter
from functools import lru_cache, partial
from importlib import import_module

from mirdl.errors import UserError, exit_on_user_error
from mirdl.frames import MUSICNN
from mirdl.results import figures, files, models, song_figures, tables
from mirdl.results import report as page
from mirdl.results.calibration import FoldAnswers
from mirdl.results.drawing import save
from mirdl.results.filters import find_filters
from mirdl.tagging.players import Players
from mirdl.tagging.tagger import Tagger
from mirdl.tagging.views import fired_in, losses_of, view_of
from mirdl.theano_flags import start_theano

NETWORKS = partial(import_module, "buildArchitecture")      # it loads Theano, which takes seconds
USAGE = """usage: python utils.py [COMMAND] NAME ...

NAME: DATASET_TYPE_ID, as in data/results: a whole run, or one fold of it (ID-f0)

  curves NAME ...             loss and accuracy over the epochs; of several runs in one picture
                              (also without 'curves')
  confusion NAME              confusion matrix of the songs by majority vote: counts and shares
  filters NAME                the learnt filters over time, with their tempo and the class that
                              they raise most; also as a CSV file
  activations NAME SONG ...   where in time and in which bands the strongest filters fire in audio
                              files
  occlusion NAME SONG ...     for any network, and for musicnn-MTT or musicnn-MSD, where in time and
                              in which bands it finds its tag: what it loses where this is hidden
  songs NAME                  the misclassified songs with their votes; of several tags, those
                              that are missed or wrongly given
  compare NAME NAME ...       a table: the settings that differ, accuracies, epochs, seconds, and a
                              paired test over the songs
  learning NAME NAME ...      accuracy over the share of the training songs, of runs that differ in
                              trainShare: sweep="trainShare=0.25,0.5,0.75,1"
  report NAME [SONG ...]      all of it on one HTML page that opens offline, with these and the
                              misclassified songs to listen to
  export NAME [FILE.onnx] [--ensemble] [--licence=TEXT]
                              the model as ONNX, and its front end as FILE.frontend.npz; for a run
                              with --ensemble, the mean of the models of all folds

Pictures are saved in data/results. For a whole run, filters, activations, occlusion and export take
the model with the best validation accuracy; for a test song, activations and occlusion take the
model tested on it."""


def main(arguments):
    """Do what the command line asks for, and print what was saved."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return
    command, *names = arguments if arguments and arguments[0] in COMMANDS else [
        "curves", *arguments]
    near = (difflib.get_close_matches(names[0], COMMANDS, 1)
            if names and names == arguments else [])
    if near:
        raise UserError(f"{names[0]!r} is neither a command nor the name of a run; "
                        f"did you mean {near[0]}?")
    function, least, most = COMMANDS[command]
    published = set(names) & set(MUSICNN)
    if published and command != "occlusion":
        raise UserError(f"{command} needs the name of a run; {min(published)!r} is a published "
                        "model, for which there are utils.py occlusion and predict.py")
    if not least <= len(names) <= most:
        raise UserError(f"{command} takes {least}{'' if least == most else ' or more'} name(s), "
                        f"{len(names)} given; see python utils.py --help")
    print(function(*names))


def trainingEvolution(name):
    """Draw the training curves of a run (all its folds) or of one fold.

    Parameters
    ----------
    name : str
        Of the run or the fold.

    Returns
    -------
    str
        The path of the picture, NAME.png in data/results.

    Raises
    ------
    UserError
        If there is no such run, or its table is damaged.
    """
    return save(_curves(name), files.path_of(name, ".png"))


def curves(*names):
    """Draw the training curves of one run, or compare those of several runs in one picture.

    Give the path of the picture.
    """
    if len(names) == 1:
        return trainingEvolution(*names)
    title = f"Compared_{names[0]}_and_{len(names) - 1}_more"
    return save(_curves(*names), files.path_of(title, ".png"))


def confusion(name):
    """Draw the confusion matrix of a run's songs by majority vote.

    Give the path of the picture, NAME.confusion.png.
    """
    return save(_confusion(name), files.path_of(name, ".confusion.png"))


def filters(name):
    """Draw a model's temporal filters, and list them all in NAME.filters.csv.

    Give the path of the picture, NAME.filters.png.
    """
    model, text = models.load_best(name), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["frames", "seconds", "bpm", "class", "outputWeight"])
    for each in find_filters(model):
        tempo = "" if math.isnan(each.tempo) else f"{each.tempo:.0f}"
        tag = "" if each.feeds is None else model.info.classes[each.feeds]
        table.writerow([len(each.weights), f"{each.seconds:.3f}", tempo, tag,
                        f"{each.weight:.6g}"])
    files.write_text(text.getvalue(), name, ".filters.csv")
    return save(_filters(name), files.path_of(name, ".filters.png"))


def activations(name, *songs):
    """Draw where in audio files a model's strongest filters fire; see `_ofSongs`."""
    return _ofSongs("activations", _activations, name, songs)


def occlusion(name, *songs):
    """Draw where in audio files any network finds its tag; see `_ofSongs`."""
    return _ofSongs("occlusion", _occlusion, name, songs)


def songs(name):
    """List the misclassified songs of a run with their votes, as a text."""
    result = files.read_outcomes(name)
    if not result.several:
        result = _votesOf(name)
    wrong = tables.misclassified(result)
    return f"{tables.text(wrong)}\n{len(wrong)} of {len(result.has)} songs"


def compare(*names):
    """Compare the results of several runs, as a text."""
    runs = [name.removeprefix(files.cross_validation("")) for name in names]
    return tables.text(tables.comparison({run: files.read_outcomes(run) for run in runs}))


def learning(*names):
    """Draw the learning curve of runs that differ in trainShare; give the path of the picture."""
    results = [_votesOf(name) for name in names]
    title = f"Learning_{names[0]}_and_{len(names) - 1}_more"
    return save(figures.learning(results), files.path_of(title, ".png"))


def report(name, *songs):
    """Write all that is known about a run on one HTML page that opens offline.

    What a run does not have is left out, and reported on stderr: a model that was only tested has
    no curves, another network no temporal filters.

    Parameters
    ----------
    name : str
    *songs : str
        Paths of audio files that have a player, besides the misclassified ones.

    Returns
    -------
    str
        The path of the page, NAME.html in data/results. Sounds of more than 20 MB are beside it, in
        the folder NAME.sounds.
    """
    result, titles = files.read_outcomes(name), _titlesOf(songs)
    tested = FoldAnswers.of(result.outcomes)
    pictures = [("Training curves", partial(_curves, name)),
                *([] if result.several else [("Confusion of songs", partial(_confusion, name))]),
                *([("Reliability of probabilities", partial(figures.reliability, tested, name))]
                  if tested else []),
                ("Filters over time", partial(_filters, name))]
    players = Players(name, result, songs, _taggerOf)
    parts = [(title, partial(page.picture, title, draw)) for title, draw in pictures]
    parts += [(f"Song {title}", partial(_player, players, song, title, name))
              for song, title in titles.items()]
    text = page.html(name, result, parts, players.misclassified)
    files.write_text(text, name, ".html")
    return files.path_of(name, ".html")


def export(*words):
    """Write a model as ONNX, with the front end beside it; give the paths of both files.

    Parameters
    ----------
    *words : str
        NAME, perhaps FILE.onnx (by default NAME.onnx in data/results), --ensemble and
        --licence=TEXT.

    Raises
    ------
    UserError
        If a package is missing, or ONNX has no form of the network.
    """
    parser = argparse.ArgumentParser("python utils.py export")
    parser.add_argument("name")
    parser.add_argument("file", nargs="?")
    parser.add_argument("--ensemble", action="store_true")
    parser.add_argument("--licence", default="not stated")
    asked = parser.parse_args(words)
    tagger = Tagger(asked.name, NETWORKS, asked.ensemble)
    try:
        start_theano()
        from mirdl.export import model_file
    except ModuleNotFoundError as error:
        raise UserError(f"export needs the package {error.name}: "
                        "pip install -r requirements-export.txt") from error
    path = asked.file or files.path_of(asked.name, ".onnx")
    model_file.check_path(path)
    return "\n".join(model_file.write(path, tagger, asked.licence))


def _curves(*names):
    """Draw training curves."""
    runs = {name: [files.read_training(run) for run in files.runs(name)] for name in names}
    empty = [name for name, folds in runs.items() if not any(len(fold.epoch) for fold in folds)]
    if empty:
        raise UserError(f"the run {empty[0]!r} has no epoch yet")
    return figures.curves(runs, _songAccuracies(*names) if len(names) == 1 else {})


def _songAccuracies(name):
    """Give the accuracies on a run's test songs, by classifier; none if it has not ended."""
    try:
        return files.read_outcomes(name).song_accuracies
    except UserError:
        return {}


def _confusion(name):
    """Draw the confusion matrix of a run's songs."""
    return figures.confusion(_votesOf(name), name)


def _votesOf(name):
    """Read the results of a run; refuse one that has no votes of songs."""
    result = files.read_outcomes(name)
    if not result.true:
        why = ("songs may have several tags; see its report" if result.several else
               "it was run with testMethod=utterances")
        raise UserError(f"the run {name!r} has no votes of songs: {why}")
    return result


def _filters(name):
    """Draw a model's temporal filters."""
    model = models.load_best(name)
    return figures.filters(find_filters(model), model.info.classes, model.name)


def _ofSongs(kind, draw, name, songs):
    """Draw a picture of each song.

    Parameters
    ----------
    kind : str
        What it shows, in the names of the pictures.
    draw : callable
        (song, title, name) -> figure.
    name : str
        A model, or a run.
    songs : list of str
        Paths of audio files.

    Returns
    -------
    str
        The paths of the pictures, NAME.KIND.SONG.png, one a line.

    Raises
    ------
    UserError
        If a song cannot be read or is too short, or the network cannot be drawn so.
    """
    paths = []
    for song, title in _titlesOf(songs).items():
        path = files.distinct_name(files.path_of(name, f".{kind}."), _stem(song), ".png", paths)
        paths.append(save(draw(song, title, name), path))
    return "\n".join(paths)


def _activations(song, title, name):
    """Draw a model's strongest filters in an audio file."""
    find_filters(models.load_for(name, song))       # refuses others before they are built
    tagger, answer, view = _view(song, title, name)
    return song_figures.activations(view, fired_in(tagger, answer))


def _occlusion(song, title, name):
    """Draw what a song's tag loses where the song is hidden."""
    tagger, answer, view = _view(song, title, name)
    return song_figures.occlusion(view, losses_of(tagger, answer))


def _view(song, title, name):
    """Tag an audio file by the model that was tested on it; give tagger, answer and view."""
    tagger = _taggerOf(name if name in MUSICNN else models.load_for(name, song).name)
    answer = tagger.tag(song)
    return tagger, answer, view_of(tagger, answer, title, song)


def _player(players, song, title, name):
    """Write the player of a song, by the model that was tested on it."""
    return players.of(song, title, models.load_for(name, song).name)


def _taggerOf(model):
    """Give the tagger of a model, which is kept until another one is asked for."""
    if model in MUSICNN:
        return _tagger(model, None, None)
    known = models.load(model)
    by = None if known.info.several else "vote"     # as in its run
    return _tagger(model, os.stat(known.path).st_mtime_ns, by)


@lru_cache(1)       # for the next song
def _tagger(model, written, by="vote"):
    """Give the tagger of a model whose file was written at that time."""
    return Tagger(model, NETWORKS, by=by)


def _titlesOf(songs):
    """Give each song a title of its own: the name without folder and ending, or else its path."""
    songs = dict.fromkeys(songs)        # one that is given twice is shown once
    counts = Counter(map(_stem, songs))
    return {song: _stem(song) if counts[_stem(song)] == 1 else song for song in songs}


def _stem(song):
    return os.path.splitext(os.path.basename(song))[0]


COMMANDS = {    # name -> function, fewest and most names
    "curves": (curves, 1, 99),
    "confusion": (confusion, 1, 1),
    "filters": (filters, 1, 1),
    "activations": (activations, 2, 99),
    "occlusion": (occlusion, 2, 99),
    "songs": (songs, 1, 1),
    "compare": (compare, 1, 99),
    "learning": (learning, 2, 99),
    "report": (report, 1, 99),
    "export": (export, 1, 99)}

if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
