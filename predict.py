"""Tags for audio files: `python predict.py NAME song.wav folder/ ...`, by a trained model."""

import argparse
import csv
import io
import json
import os
import sys
from dataclasses import replace
from functools import cached_property

import numpy as np

from mirdl import settings
from mirdl.errors import UserError, exit_on_user_error, one_line
from mirdl.results import models
from mirdl.results.answer import Answer
from mirdl.results.segments import LABELS, joined, labels_of, stretches
from mirdl.results.tables import columns_of
from mirdl.songs import audio_files
from mirdl.spectrograms.audio import ENDINGS, SAMPLE_RATE
from mirdl.spectrograms.chunks import Chunks, chunk_starts, filled
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.level import odd_levels
from mirdl.spectrograms.normalisation import compress, moments, own_mean_and_std
from mirdl.system.pool import in_parallel
from mirdl.system.progress import aside
from mirdl.theano_flags import start_theano

BATCH = 4       # chunks that go through the network at a time


def main(arguments):
    """Tag the audio files named on the command line; print each answer as soon as it is there."""
    asked = parse(arguments)
    tagger = Tagger(asked.name, asked.ensemble)
    songs = findAudio(asked.songs)
    write = FORMATS.get(asked.format) or labels_of(asked.format, songs, asked.out)
    tagged = []
    answers = noteProblems(tagger.tagAll(songs), tagged)
    for text in write(answers, songs, tagger.classes, asked.unit):
        print(text, flush=True)
    if not any(tagged):
        raise UserError(f"none of the {len(songs)} files could be tagged; the reasons are listed "
                        "above")


def parse(arguments):
    """Parse the command line."""
    parser = argparse.ArgumentParser("python predict.py",
                                     description="Tags for audio files, by a trained model.")
    parser.add_argument("name", metavar="NAME", help="a model (DATASET_TYPE_ID-f0) of data/results "
                        "or data/preloaded/models, or a run (DATASET_TYPE_ID): then its model with "
                        "the best validation accuracy")
    parser.add_argument("songs", metavar="SONG", nargs="+",
                        help="an audio file, or a folder: all audio files below it")
    parser.add_argument("--format", choices=[*FORMATS, *LABELS], default="table",
                        help="json is one list, at the end; jsonl a line for each song; audacity "
                        "and sonic are labels of segments, for Audacity and Sonic Visualiser")
    unit = parser.add_mutually_exclusive_group()
    unit.add_argument("--chunks", dest="unit", action="store_const", const="chunk", default="song",
                      help="a line for each chunk over time instead of one for each song")
    unit.add_argument("--segments", dest="unit", action="store_const", const="segment",
                      help="a line for each stretch of time that has one tag")
    parser.add_argument("--out", metavar="FOLDER", help="for audacity and sonic: write the labels "
                        "of each song to a file of its own in this folder")
    parser.add_argument("--ensemble", action="store_true",
                        help="the mean of the probabilities that the models of all folds give")
    asked = parser.parse_args(arguments)
    if asked.format in LABELS and asked.unit == "chunk":
        raise UserError(f"--format {asked.format} writes labels of segments: leave out --chunks")
    if asked.out is not None and asked.format not in LABELS:
        raise UserError(f"--out {asked.out} is for --format {' or '.join(LABELS)}, not for "
                        f"{asked.format}")
    return asked


def noteProblems(answers, tagged):
    """Yield the answers; report problems and odd files, and note in `tagged` which have a tag."""
    for answer in answers:
        tagged.append(not answer.problem)
        for start, told in ("", answer.problem), ("Note: ", answer.note):
            if told:
                with aside():
                    print(f"{start}{answer.song!r} {told}", file=sys.stderr)
        yield replace(answer, spectrogram=None)     # which takes 2 MB for a song of 5 minutes


def findAudio(paths):
    """Find the audio files that `paths` name, in folders all audio files below them, sorted."""
    found = []
    for path in paths:
        if os.path.isdir(path):
            below = audio_files.below(path)
            if not below:
                raise UserError(f"the folder {path!r} has no audio file "
                                f"({' '.join(ENDINGS)})")
            found += below
        else:
            audio_files.check_is_file(path)
            found.append(path)
    return found


class Tagger:
    """A model, or the models of all folds of a run, ready to tag.

    Parameters
    ----------
    name : str
        A model of data/results or data/preloaded/models, or a run: then its model with the best
        validation accuracy.
    ensemble : bool
        Take the models of all folds of a run, and the mean of their probabilities.

    Raises
    ------
    UserError
        If there is no such model; when it first tags, if it does not fit the network of its name
        in buildArchitecture.py.
    """

    def __init__(self, name, ensemble=False):
        self.models = models.load_all(name) if ensemble else [models.load_best(name)]
        model = self.models[0]
        self.classes = model.info.classes
        if ensemble:
            print(f"the mean of {len(self.models)} models", file=sys.stderr)
        try:
            self.parameters = settings.complete(model.info.parameters)
        except UserError as error:
            raise UserError(f"the model {model.path!r} cannot be used: {error}") from error

    def tag(self, song):
        """Tag one audio file; give its `Answer`."""
        audio_files.check_is_file(song)
        [answer] = self.tagAll([song])
        return answer

    def tagAll(self, songs):
        """Yield the `Answer` for each audio file; the files are read on all cores."""
        # the real path: the processes that read it may have been started in another folder, and
        # have another /dev/stdin
        calls = [(os.path.realpath(song), self.parameters["DS"]) for song in songs]
        computed = in_parallel(spectrogram_of, calls, "songs", "song")
        for (found, note), song in zip(computed, songs, strict=True):
            answer = Answer(song, problem=found) if isinstance(found, str) else self.answer(
                song, found)
            yield replace(answer, note="; it ".join(filter(None, [note, answer.note])))

    def answer(self, song, spectrogram):
        """Give the `Answer` for a spectrogram, (bands, frames), of mel energies."""
        DS, frames = self.parameters["DS"], spectrogram.shape[1]
        start = chunk_starts(frames, {**self.parameters, "asPublished": False})
        if not start:
            return Answer(song, problem=f"is too short: {frames} frames give no chunk of "
                                        f"{DS['xInput']}")
        spectrogram = compress(spectrogram, DS["inputNorm"])
        lengthened = filled(spectrogram, DS["xInput"], DS["short"])
        training = np.reshape(self.models[0].info.training_moments or [], (-1, 2))
        [odd] = odd_levels(np.array(moments(spectrogram)[:1]), training[:, 0], DS)
        each = []
        for model in self.models:
            mean, std = np.float32(model.info.moments or own_mean_and_std(spectrogram, DS))
            chunks = Chunks([lengthened], [0], [start], DS["xInput"], [mean], [std],
                            batch_size=BATCH)
            each.append(self.probabilities(model, chunks))
        second = DS["hopSize"] / SAMPLE_RATE       # of a frame
        spans, probabilities = stretches(start, frames, DS["xInput"]), np.mean(each, axis=0)
        # as in training, perhaps without the last one; of a song too short for that, all
        voting = len(chunk_starts(frames, self.parameters)) or len(start)
        answer = Answer(song, None, probabilities[:voting], np.array(start[:voting]) * second,
                        (lengthened - mean) / std, segments=joined(spans * second, probabilities))
        answer.label = int(answer.votes.argmax())
        answer.note = odd and f"is {odd}"
        return answer

    def probabilities(self, model, chunks):
        """Give the probabilities of one model: (chunks, classes)."""
        forward = self.forward
        if len(self.models) > 1:
            self.setWeights(model)
        found = [forward(x) for x, _ in chunks.ahead(chunks.filled_batches())]
        return np.concatenate(found)[:len(chunks)]

    def setWeights(self, model):
        """Give the network the weights of a model; refuse those of another network."""
        import lasagne
        expected = [value.shape for value in lasagne.layers.get_all_param_values(self.output)]
        if [value.shape for value in model.weights] != expected:
            raise UserError(f"the model {model.path!r} does not fit the network "
                            f"{self.parameters['DL']['type']} of buildArchitecture.py, which has "
                            "changed since it was trained; put the old one back, or train again")
        lasagne.layers.set_all_param_values(self.output, model.weights)

    @cached_property
    def forward(self):
        """The compiled network: x: (BATCH, 1, yInput, xInput) -> probabilities."""
        with aside():
            start_theano()
        # imported late: other processes read songs meanwhile
        import lasagne

        import buildArchitecture
        import theano
        import theano.tensor as T
        from mirdl.networks import architectures

        network, x, model = self.parameters["DL"]["type"], T.tensor4("x"), self.models[0]
        self.output, _ = buildArchitecture.buildNet(x, self.parameters, len(self.classes))
        self.setWeights(model)
        if model.info.architecture != architectures.source_hash(network, buildArchitecture):
            print(f"Note: the network {network} of buildArchitecture.py has changed since "
                  f"{model.path} was trained", file=sys.stderr)
        return theano.function([x], lasagne.layers.get_output(self.output, deterministic=True))


def columnsOf(classes):
    """Name the column of each class, unlike the other columns of the table."""
    others = {"song", "start", "tag", "votes"}
    return [f"p({tag})" if tag in others or tag.startswith("p(") else tag for tag in classes]


def rows(answer, classes, unit):
    """Make the row of an answer, or one for each of its chunks or segments; none without a tag.

    A row: song, start in seconds of a chunk, tag, share of the votes of a song, probabilities; of a
    segment start, end, tag and its probability.
    """
    def shares(probabilities):
        texts = [f"{value:.4f}" for value in probabilities]
        return dict(zip(columnsOf(classes), texts, strict=True))

    if answer.problem:
        return []
    if unit == "segment":
        return [{"song": answer.song, "start": f"{each.start:.2f}", "end": f"{each.end:.2f}",
                 "tag": classes[each.label], "probability": f"{each.probability:.4f}"}
                for each in answer.segments]
    if unit == "chunk":
        return [{"song": answer.song, "start": f"{start:.2f}",
                 "tag": classes[probabilities.argmax()], **shares(probabilities)}
                for start, probabilities in zip(answer.start, answer.probabilities, strict=True)]
    return [{"song": answer.song, "tag": classes[answer.label],
             "votes": f"{answer.votes[answer.label]}/{answer.votes.sum()}",
             **shares(answer.probabilities.mean(axis=0))}]


def header(classes, unit):
    """Name the columns of `rows`."""
    if unit == "segment":
        return ["song", "start", "end", "tag", "probability"]
    return ["song", *(["start", "tag"] if unit == "chunk" else ["tag", "votes"]),
            *columnsOf(classes)]


def asTable(answers, songs, classes, unit):
    """Yield lines of aligned columns; the header comes with the first row."""
    columns = header(classes, unit)
    least = {"song": max(map(columns_of, songs)), "tag": max(map(columns_of, classes)), "start": 8,
             "end": 8, "votes": 9}
    widths = [max(columns_of(column), least.get(column, 6)) for column in columns]

    def line(cells):
        padded = [cell + " " * (width - columns_of(cell))
                  for cell, width in zip(cells, widths, strict=True)]
        return one_line("  ".join(padded).rstrip())

    first = True
    for answer in answers:
        for row in rows(answer, classes, unit):
            if first:
                yield line(columns)
            first = False
            yield line(row.values())


def asCSV(answers, songs, classes, unit):
    """Yield lines of comma-separated values, the header first."""
    def line(cells):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(cells)
        return text.getvalue()

    yield line(header(classes, unit))
    for answer in answers:
        yield from (line(row.values()) for row in rows(answer, classes, unit))


def asJSONLines(answers, songs, classes, unit):
    """Yield a JSON object for each file."""
    yield from (json.dumps(plain(answer, classes, unit)) for answer in answers)


def asJSON(answers, songs, classes, unit):
    """Yield one JSON list of all files."""
    yield json.dumps([plain(answer, classes, unit) for answer in answers], indent=1)


def plain(answer, classes, unit):
    """Give an answer as plain values for JSON, always with its chunks, if asked with segments."""
    def ofClasses(values):
        return dict(zip(classes, values.tolist(), strict=True))

    if answer.problem:
        return {"song": answer.song, "problem": answer.problem}
    starts = answer.start.tolist()
    found = {"song": answer.song, "tag": classes[answer.label], "votes": ofClasses(answer.votes),
             "probabilities": ofClasses(answer.probabilities.mean(axis=0)),
             "chunks": [{"start": start, "probabilities": ofClasses(probabilities)} for
                        start, probabilities in zip(starts, answer.probabilities, strict=True)]}
    if answer.note:
        found["note"] = answer.note
    if unit == "segment":
        found["segments"] = [{"start": each.start, "end": each.end, "tag": classes[each.label],
                              "probability": each.probability} for each in answer.segments]
    return found


FORMATS = {"table": asTable, "csv": asCSV, "json": asJSON, "jsonl": asJSONLines}


if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
