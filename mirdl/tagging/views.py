"""What a model does with a song, gathered for pictures and players."""

import numpy as np

from mirdl.frames import MUSICNN, frames_of
from mirdl.results.filters import Activation, find_filters, strongest
from mirdl.results.models import part_of
from mirdl.results.song_view import SongView
from mirdl.spectrograms.plain import middles_of_bands
from mirdl.tagging.answer import Answer
from mirdl.tagging.occlusion import GROUPS, occlusion
from mirdl.tagging.segments import joined
from mirdl.tagging.tagger import Tagger

STRONGEST = 5       # filters of a song that are shown
WAYS = {"vote": "majority vote", "mean": "mean probability"}


def view_of(tagger: Tagger, answer: Answer, title: str, song: str) -> SongView:
    """Gather what a model says about a song.

    Parameters
    ----------
    tagger : Tagger
        Of one model.
    answer : Answer
        What it says.
    title : str
        The name that the song is shown by.
    song : str
        The path of its file, by which the songs of the model's data set are known.
    """
    [model], ds = tagger.models, tagger.parameters["DS"]
    part = part_of(song, model)
    role = f", for which it was a {part} song" if part else ", whose data set does not have it"
    if not model.info.training_songs:       # a published model does not name them
        role = ""
    segments = answer.segments      # those of several tags overlap
    if answer.thresholds is not None:
        segments = joined(answer.times, answer.probabilities, np.zeros(len(answer.times), bool))
    return SongView(title, f"{WAYS[answer.by]} of {model.name}{role}",
                    tagger.classes, answer.label, answer.spectrogram[:, :answer.frames],
                    middles_of_bands(ds), answer.length, answer.times, answer.probabilities,
                    segments)


def fired_in(tagger: Tagger, answer: Answer) -> list[Activation]:
    """Find the filters that add most to the class of a song.

    Raises
    ------
    UserError
        If the network has no temporal filters.
    """
    found = find_filters(tagger.models[0])
    return strongest(found, answer.spectrogram, answer.label, STRONGEST)


def losses_of(tagger: Tagger, answer: Answer) -> np.ndarray:
    """Compute what a song's class loses where it is hidden: `mirdl.tagging.occlusion.occlusion`."""
    ds, shown = tagger.parameters["DS"], np.arange(answer.spectrogram.shape[1])
    if ds["short"] == "repeat":
        shown %= answer.frames
    shown[shown >= answer.frames] = -1      # what pads it
    seconds = frames_of(ds).seconds
    return occlusion(tagger.network().forward, answer.spectrogram, shown,
                     np.rint(answer.start / seconds).astype(int), ds["xInput"], answer.label,
                     seconds, 1 if ds["specTransform"] in MUSICNN else GROUPS)
