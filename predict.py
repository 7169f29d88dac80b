"""Tags for audio files: `python predict.py NAME song.wav folder/ ...`, by a trained model."""

import argparse
import csv
import io
import json
import os
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module

from mirdl.errors import UserError, exit_on_user_error, one_line
from mirdl.results.tables import columns_of
from mirdl.songs import audio_files
from mirdl.songs.tags import BETWEEN
from mirdl.spectrograms.audio import ENDINGS
from mirdl.system.progress import aside
from mirdl.tagging import tagger
from mirdl.tagging.answer import BY
from mirdl.tagging.as_files import check
from mirdl.tagging.segments import LABELS, UNKNOWN, labels_of, tag_of


def main(arguments):
    """Tag the audio files named on the command line; print each answer as soon as it is there."""
    asked = parse(arguments)
    model = Tagger(asked.name, asked.ensemble, asked.by, asked.reject)
    if asked.ensemble:
        print(f"the mean of {len(model.models)} models", file=sys.stderr)
    songs = findAudio(asked.songs)
    write = FORMATS.get(asked.format) or labels_of(asked.format, songs, asked.out)
    tagged = []
    answers = noteProblems(model.tag_all(songs), tagged)
    for text in write(answers, songs, model.classes, asked.unit):
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
                        "the best validation accuracy; or musicnn-MTT or musicnn-MSD, which know "
                        "50 tags before any training")
    parser.add_argument("songs", metavar="SONG", nargs="+",
                        help="an audio file, a pipe (-: what is piped in), or a folder: all audio "
                        "files below it")
    parser.add_argument("--format", choices=[*FORMATS, *LABELS], default="table",
                        help="json is one list, at the end; jsonl a line for each song; audacity "
                        "and sonic are labels of segments, for Audacity and Sonic Visualiser")
    unit = parser.add_mutually_exclusive_group()
    unit.add_argument("--chunks", dest="unit", action="store_const", const="chunk", default="song",
                      help="a line for each chunk over time instead of one for each song")
    unit.add_argument("--segments", dest="unit", action="store_const", const="segment",
                      help="a line for each stretch of time that has one tag; where there may be "
                      "several, for each of them")
    parser.add_argument("--out", metavar="FOLDER", help="for audacity and sonic: write the labels "
                        "of each song to a file of its own in this folder")
    parser.add_argument("--ensemble", action="store_true",
                        help="the mean of the probabilities that the models of all folds give")
    parser.add_argument("--by", choices=BY, help="a song has the tag of most chunks (vote) or of "
                        "the largest mean probability (mean); by default vote if the model was "
                        "trained with recipe=published, otherwise mean")
    parser.add_argument("--reject", action="store_true", help="songs unlike all those of the run, "
                        "and silence, have the tag unknown")
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
    """Find the audio files and pipes that `paths` name, in folders all audio files, sorted."""
    found = []
    for path in paths:
        path = "/dev/stdin" if path == "-" else path
        if os.path.isdir(path):
            below = audio_files.below(path)
            if not below:
                raise UserError(f"the folder {path!r} has no audio file "
                                f"({' '.join(ENDINGS)})")
            found += below
        else:
            check(path)
            found.append(path)
    return found


class Tagger(tagger.Tagger):
    """A model, or with `ensemble` the models of all folds of a run, of buildArchitecture.py."""

    def __init__(self, name, ensemble=False, by=None, reject=False):
        super().__init__(name, partial(import_module, "buildArchitecture"), ensemble, by, reject)


def columnsOf(classes):
    """Name the column of each class, unlike the other columns of the table."""
    others = {"song", "start", "tag", "tags", "by", "votes"}
    return [f"p({tag})" if tag in others or tag.startswith("p(") else tag for tag in classes]


def rows(answer, classes, unit):
    """Make the row of an answer, or one for each of its chunks or segments; none without a tag.

    A row: song, start in seconds of a chunk, tag, how the tag of a song was found, share of its
    votes, probabilities; of a segment start, end, tag and its probability. Where a song may have
    several tags, they are in one cell; or each of the likeliest has a row, with its probability, if
    there are no thresholds.
    """
    def shares(probabilities):
        texts = [f"{value:.4f}" for value in probabilities]
        return dict(zip(columnsOf(classes), texts, strict=True))

    def tagged(probabilities):
        tags = answer.tags(probabilities)
        if answer.thresholds is None:
            return [{"tag": classes[label], "probability": f"{probabilities[label]:.4f}"}
                    for label in tags]
        return [{"tags": BETWEEN.join(classes[label] for label in tags), **shares(probabilities)}]

    if answer.problem:
        return []
    if unit == "segment":
        return [{"song": answer.song, "start": f"{each.start:.2f}", "end": f"{each.end:.2f}",
                 "tag": tag_of(each.label, classes), "probability": f"{each.probability:.4f}"}
                for each in answer.segments]
    if unit == "chunk":
        return [{"song": answer.song, "start": f"{start:.2f}", **told}
                for start, label, probabilities in zip(answer.start, answer.labels,
                                                       answer.probabilities, strict=True)
                for told in (tagged(probabilities) if answer.several else
                             [{"tag": tag_of(label, classes), **shares(probabilities)}])]
    if answer.several:
        return [{"song": answer.song, **told} for told in tagged(answer.final)]
    votes = 0 if answer.label is None else answer.votes[answer.label]
    return [{"song": answer.song, "tag": tag_of(answer.label, classes), "by": answer.by,
             "votes": f"{votes}/{answer.votes.sum()}", **shares(answer.final)}]


def asTable(answers, songs, classes, unit):
    """Yield lines of aligned columns; the header comes with the first row."""
    def line(cells, widths):
        padded = [cell + " " * (width - columns_of(cell))
                  for cell, width in zip(cells, widths, strict=True)]
        return one_line("  ".join(padded).rstrip())

    widths = []
    for answer in answers:
        for row in rows(answer, classes, unit):
            if not widths:
                tags = classes if answer.rejected is None else [*classes, UNKNOWN]
                least = {"song": max(map(columns_of, songs)), "tag": max(map(columns_of, tags)),
                         "start": 8, "end": 8, "by": 4, "votes": 9,
                         "tags": 2 * max(map(columns_of, classes)) + 1}
                widths = [max(columns_of(column), least.get(column, 6)) for column in row]
                yield line(row, widths)
            yield line(row.values(), widths)


def asCSV(answers, songs, classes, unit):
    """Yield lines of comma-separated values; the header comes with the first row."""
    def line(cells):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(cells)
        return text.getvalue()

    first = True
    for answer in answers:
        for row in rows(answer, classes, unit):
            if first:
                yield line(row)
            first = False
            yield line(row.values())


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
    if answer.several:
        said = {"tags": [classes[label] for label in answer.tags(answer.final)]}
    else:
        said = {"tag": tag_of(answer.label, classes), "by": answer.by,
                "votes": ofClasses(answer.votes)}
    found = {"song": answer.song, **said, "probabilities": ofClasses(answer.final),
             "chunks": [{"start": start, "probabilities": ofClasses(probabilities)} for
                        start, probabilities in zip(starts, answer.probabilities, strict=True)]}
    for key in "temperature", "likeness":
        if getattr(answer, key) is not None:
            found[key] = getattr(answer, key)
    if answer.thresholds is not None:
        found["thresholds"] = ofClasses(answer.thresholds)
    if answer.note:
        found["note"] = answer.note
    if unit == "segment":
        found["segments"] = [{"start": each.start, "end": each.end,
                              "tag": tag_of(each.label, classes),
                              "probability": each.probability} for each in answer.segments]
    return found


FORMATS = {"table": asTable, "csv": asCSV, "json": asJSON, "jsonl": asJSONLines}


if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
