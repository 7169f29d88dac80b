"""Tags for audio files: `python predict.py NAME song.wav folder/ ...`, by a model that dl.py has trained."""

import argparse
import csv
import io
import json
import os
import sys
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

import loadDatasets
from mirdl import settings
from mirdl.errors import UserError, exit_on_user_error
from mirdl.results import files, tables
from mirdl.songs import audio_files
from mirdl.spectrograms import decoding
from mirdl.spectrograms.chunks import Chunks
from mirdl.spectrograms.decoding import compute_or_reason
from mirdl.spectrograms.normalisation import compress
from mirdl.system.pool import in_parallel
from mirdl.system.progress import aside
from mirdl.theano_flags import start_theano
from mirdl.training import architectures
from run import parameters as published

BATCH = 4       # chunks that go through the network at a time; the last batch of a song is filled up to so many


def main(arguments):
    """Tag the audio files named on the command line and print what was found."""
    asked = _parse(arguments)
    tagger = Tagger(asked.name)
    songs = findAudio(asked.songs)
    answers = [replace(answer, spectrogram=None) for answer in tagger.tagAll(songs)]     # which takes 2 MB of a song of 5 minutes
    print(SHOW[asked.format](answers, tagger.classes, asked.chunks), end="")
    problems = [answer for answer in answers if answer.problem]
    for answer in problems:
        print(f"{answer.song!r} {answer.problem}", file=sys.stderr)
    if len(problems) == len(answers):
        raise UserError(f"none of the {len(answers)} files could be tagged; the reasons are listed above")


def _parse(arguments):
    parser = argparse.ArgumentParser("python predict.py", description="Tags for audio files, by a trained model.")
    parser.add_argument("name", metavar="NAME", help="a model (DATASET_TYPE_ID-f0) of data/results or data/preloaded/models, or "
                        "a run (DATASET_TYPE_ID): then its model with the best validation accuracy")
    parser.add_argument("songs", metavar="SONG", nargs="+", help="an audio file, or a folder: all audio files below it")
    parser.add_argument("--format", choices=list(SHOW), default="table")
    parser.add_argument("--chunks", action="store_true", help="a line for each chunk over time instead of one for each song")
    return parser.parse_args(arguments)


def findAudio(paths):
    """The audio files that `paths` name: files as they are, folders with all audio files below them, sorted."""
    found = []
    for path in paths:
        if os.path.isdir(path):
            below = audio_files.below(path)
            if not below:
                raise UserError(f'the folder {path!r} has no audio file ({" ".join(decoding.ENDINGS)})')
            found += below
        elif os.path.exists(path):
            found.append(path)
        else:
            raise UserError(f"there is no file or folder {path!r}")
    return found


@dataclass
class Answer:
    """What a model says of a song.

    Attributes
    ----------
    song : str
        The path of the file.
    label : int or None
        The class that most chunks voted for; None where `problem` says why there is no answer.
    probabilities : ndarray
        (chunks, classes).
    start : ndarray
        (chunks,), seconds from the start of the song.
    spectrogram : ndarray
        float32, (bands, frames), normalised as the network saw it.
    problem : str
    """

    song: str
    label: int = None
    probabilities: np.ndarray = None
    start: np.ndarray = None
    spectrogram: np.ndarray = None
    problem: str = ""

    @property
    def votes(self):
        """How many chunks voted for each class: (classes,)."""
        return np.bincount(self.probabilities.argmax(axis=1), minlength=self.probabilities.shape[1])


class Tagger:
    """A model ready to tag.

    Parameters
    ----------
    name : str
        A model of data/results or data/preloaded/models, or a run: then its model with the best validation accuracy.

    Raises
    ------
    UserError
        If there is no such model; when it first tags, if it does not fit the network of its name in buildArchitecture.py.
    """

    def __init__(self, name):
        self.path = files.find_model(files.best_model(name))
        self.weights, self.about = files.load_model(self.path)
        if not self.about:
            raise UserError(f"the model {self.path!r} does not say what it is made for: it was not written by this program")
        self.classes = self.about["classes"]
        try:
            self.parameters = settings.completed(self.about["parameters"], published)
        except UserError as error:
            raise UserError(f"the model {self.path!r} cannot be used: {error}") from error

    def tag(self, song):
        """The `Answer` for one audio file."""
        [answer] = self.tagAll([song])
        return answer

    def tagAll(self, songs):
        """Yield the `Answer` for each audio file of the list `songs`; the files are read on all cores."""
        # absolute, as the processes that read them may be older than this one's current folder
        calls = [(os.path.abspath(song), self.parameters["DS"]) for song in songs]
        for found, song in zip(in_parallel(compute_or_reason, calls, "songs", "song"), songs):
            yield Answer(song, problem=found) if isinstance(found, str) else self._answer(song, found)

    def _answer(self, song, spectrogram):
        DS, frames = self.parameters["DS"], spectrogram.shape[1]
        starts = [loadDatasets.chunk(frames, DS["xInput"], self.parameters["chunkHop"], asPublished)
                  for asPublished in (self.parameters["asPublished"], False)]
        start = starts[0] or starts[1]      # as in training; for a song too short for that, whatever it has
        if not start:
            return Answer(song, problem=f"is too short: {frames} frames give no chunk of {DS['xInput']}")
        spectrogram = compress(spectrogram, DS["inputNorm"])
        mean, std = np.float32(self.about["moments"] or loadDatasets.ownMoments(spectrogram))
        x, _ = Chunks([spectrogram], [0], [start], DS["xInput"], [mean], [std])[np.arange(len(start))]
        # in batches of one size: another would be compiled anew
        batches = [x[at:at + BATCH] for at in range(0, len(x), BATCH)]
        probabilities = np.concatenate([self._forward(np.resize(batch, (BATCH, *x.shape[1:])))[:len(batch)] for batch in batches])
        answer = Answer(song, None, probabilities, np.array(start) * DS["hopSize"] / decoding.SAMPLE_RATE, (spectrogram - mean) / std)
        answer.label = int(answer.votes.argmax())
        return answer

    @cached_property
    def _forward(self):
        """x: (BATCH, 1, yInput, xInput) -> probabilities: (BATCH, classes)."""
        with aside():
            start_theano()
        import lasagne  # only now: the cores read the first songs in the seconds that these imports take

        import buildArchitecture
        import theano
        import theano.tensor as T
        network, x = self.parameters["DL"]["type"], T.tensor4("x")
        output, _ = buildArchitecture.buildNet(x, self.parameters, len(self.classes))
        if [value.shape for value in self.weights] != [value.shape for value in lasagne.layers.get_all_param_values(output)]:
            raise UserError(f"the model {self.path!r} does not fit the network {network} of buildArchitecture.py, which has "
                            "changed since it was trained; put the old one back, or train again")
        if self.about["architecture"] != architectures.source_hash(network, buildArchitecture):
            print(f"Note: the network {network} of buildArchitecture.py has changed since {self.path} was trained", file=sys.stderr)
        lasagne.layers.set_all_param_values(output, self.weights)
        return theano.function([x], lasagne.layers.get_output(output, deterministic=True))


def rows(answers, classes, chunks):
    """One row a song (or a chunk): song, start in seconds of a chunk, tag, share of the votes of a song, probabilities."""
    table, columns = [], [f"p({tag})" if tag in ("song", "start", "tag", "votes") else tag for tag in classes]
    for answer in answers:
        if answer.problem:
            continue
        if chunks:
            for start, probabilities in zip(answer.start, answer.probabilities):
                table.append({"song": answer.song, "start": f"{start:.2f}", "tag": classes[probabilities.argmax()],
                              **{column: f"{value:.4f}" for column, value in zip(columns, probabilities)}})
        else:
            table.append({"song": answer.song, "tag": classes[answer.label],
                          "votes": f"{answer.votes[answer.label]}/{answer.votes.sum()}",
                          **{column: f"{value:.4f}" for column, value in zip(columns, answer.probabilities.mean(axis=0))}})
    return table


def asTable(answers, classes, chunks):
    """Aligned columns."""
    found = rows(answers, classes, chunks)
    return tables.text(found) + "\n" if found else ""


def asCSV(answers, classes, chunks):
    """Comma-separated, with a header."""
    text, table = io.StringIO(), rows(answers, classes, chunks)
    writer = csv.DictWriter(text, table[0] if table else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def asJSON(answers, classes, chunks):
    """A list of songs, always with their chunks, and with the files that could not be tagged."""
    return json.dumps([{"song": answer.song, "problem": answer.problem} if answer.problem else {
        "song": answer.song, "tag": classes[answer.label], "votes": dict(zip(classes, answer.votes.tolist())),
        "probabilities": dict(zip(classes, answer.probabilities.mean(axis=0).tolist())),
        "chunks": [{"start": start, "probabilities": dict(zip(classes, row))}
                   for start, row in zip(answer.start.tolist(), answer.probabilities.tolist())]}
        for answer in answers], indent=1) + "\n"


SHOW = {"table": asTable, "csv": asCSV, "json": asJSON}


if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
