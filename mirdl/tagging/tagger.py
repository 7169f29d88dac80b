"""What tags songs: a model, or the models of all folds of a run."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from mirdl import settings
from mirdl.errors import UserError
from mirdl.frames import MUSICNN, before_network, frames_of, windows_beside
from mirdl.results import models
from mirdl.results.beside import path_beside, read_temperature, read_thresholds
from mirdl.spectrograms.chunks import Chunks, chunk_starts, filled
from mirdl.spectrograms.decoding import spectrograms_of
from mirdl.spectrograms.level import is_logarithm, odd_levels
from mirdl.spectrograms.normalisation import compress, moments, own_mean_and_std
from mirdl.spectrograms.texture import texture
from mirdl.spectrograms.windows import finished
from mirdl.system.pool import in_parallel
from mirdl.system.progress import aside
from mirdl.tagging import likeness, published
from mirdl.tagging.answer import BY, Answer, usual_way
from mirdl.tagging.as_files import check, file_of, file_of_samples
from mirdl.tagging.segments import UNKNOWN, joined, of_each_tag, stretches, tag_of
from mirdl.theano_flags import start_theano

if TYPE_CHECKING:
    from mirdl.tagging.network import Network

BATCH = 4       # chunks that go through the network at a time
UNLIKE = f"unlike the songs of the run, so its tag means little; --reject makes it {UNKNOWN!r}"


class Tagger:
    """A model, or the models of all folds of a run, ready to tag.

    Parameters
    ----------
    name : str
        A model of data/results or data/preloaded/models, or a run: then its model with the best
        validation accuracy. Or "musicnn-MTT" or "musicnn-MSD", which know 50 tags as published.
    networks : callable
        Imports and gives the module of the networks, buildArchitecture. It is called when the first
        song is tagged, as it loads Theano: songs are read meanwhile.
    ensemble : bool
        Take the models of all folds of a run, and the mean of their probabilities.
    by : {"vote", "mean"}, optional
        How the class of a song follows from those of its chunks; by default as `usual_way`.
    reject : bool
        A song unlike those of the run has the tag "unknown", and so has silence.

    Attributes
    ----------
    classes : list of str
        The tags; a label is a tag's place here.
    models : list of Model
    several : bool
        A song may have several of the classes.
    parameters : dict
        That the models were trained with, complete.
    thresholds : ndarray or None
        The probabilities that the tags of a song must reach, (classes,), where it may have several;
        None for the published networks.
    temperature : float or None
        By which the probabilities of songs are calibrated; see `mirdl.results.calibration`.
    likeness : Likeness or None
        Tells songs unlike those of the run; see `mirdl.tagging.likeness`.

    Raises
    ------
    UserError
        If there is no such model, or one that gives several tags is asked for a vote or to reject,
        or one whose run has not learnt what it takes to reject; when it first tags, if it does not
        fit the network of its name in buildArchitecture.py.
    """

    def __init__(self, name: str, networks: Callable[[], ModuleType],
                 ensemble: bool = False, by: str | None = None, reject: bool = False) -> None:
        if name in MUSICNN:
            if ensemble:
                raise UserError(f"{name} is one model, without folds: leave out --ensemble")
            self.models = [published.model_of(name)]
        else:
            self.models = models.load_all(name) if ensemble else [models.load_best(name)]
        self._networks, self._network = networks, None
        self._lock = RLock()        # the network has one set of weights, and threads may share it
        model = self.models[0]
        self.classes, self.several = model.info.classes, model.info.several
        try:
            self.parameters = settings.complete(model.info.parameters)
        except UserError as error:
            raise UserError(f"the model {model.path!r} cannot be used: {error}") from error
        if by not in (None, *BY):
            raise UserError(f"by={by!r} is not known: expected {' or '.join(map(repr, BY))}")
        if self.several and by == "vote":
            raise UserError(f"with {name} a song may have several tags, so that its chunks do not "
                            "vote: leave out --by vote")
        if self.several and reject:
            raise UserError(f"with {name} a song may have several tags, or none that is likely: "
                            "leave out --reject")
        self.by = "mean" if self.several else by or usual_way(self.parameters)
        self.temperature = read_temperature(model)
        self.likeness, self.reject = likeness.read(model), reject
        if self.likeness and self.likeness.windows and not (reject or self._gets_windows):
            self.likeness = None        # it takes long, so only if it is asked for
        if reject and self.likeness is None:
            beside = path_beside(model, likeness.ENDING)
            raise UserError(f"{name} has no {beside!r}, so that it cannot tell unknown songs: copy "
                            "that file there, or train again, as earlier versions did not write "
                            "it; or leave out --reject")
        self.thresholds = None
        if self.several and name not in MUSICNN:
            self.thresholds = read_thresholds(model)

    def tag(self, song: str | np.ndarray, rate: int | None = None) -> Answer:
        """Tag one song.

        Parameters
        ----------
        song : str, path or ndarray
            An audio file, a pipe, or samples; see `mirdl.tagging.as_files.file_of_samples`. Samples
            have the answer that a wav file of them has.
        rate : int, optional
            Samples per second; only with samples.

        Raises
        ------
        UserError
            If there is no such file, or it cannot be tagged.
        """
        is_path = isinstance(song, str | os.PathLike)
        if is_path != (rate is None):
            raise UserError("samples need a rate, and files have one: expected tag('song.wav') or "
                            "tag(samples, 44100)")
        if is_path:
            check(song)
            [answer] = self.tag_all([song])
        else:
            with file_of_samples(song, rate) as path:
                [answer] = self.tag_all([path])
            answer.song = "samples"
        if answer.problem:
            raise UserError(f"{answer.song!r} {answer.problem}")
        return answer

    def tag_all(self, songs: Iterable[str]) -> Iterator[Answer]:
        """Yield the answer for each song, in order; songs are read on all cores.

        Parameters
        ----------
        songs : iterable of str or path
            Audio files or pipes. One that cannot be tagged does not stop the others: its answer has
            a `problem`.

        Raises
        ------
        UserError
            As `mirdl.tagging.as_files.file_of`.
        """
        songs = list(map(os.fspath, songs))
        with ExitStack() as files, ThreadPoolExecutor(1) as builder:
            building = builder.submit(self.network)     # takes seconds, in which songs are read
            before = before_network(self.parameters["DS"])
            ways = list(filter(None, [before, self._beside]))
            calls = [(files.enter_context(file_of(song)), ways) for song in songs]
            computed = in_parallel(spectrograms_of, calls, "songs", "song")
            for ((found, note), *more), song in zip(computed, songs, strict=True):
                beside = more[0][0] if more else None
                if isinstance(found, str):
                    answer = Answer(song, problem=found)
                else:
                    seconds = found.shape[1] * frames_of(before).seconds
                    windows = building.result().windows
                    answer = self.answer(song, finished(found, windows), seconds, beside)
                yield replace(answer, note="; it ".join(filter(None, [note, answer.note])))

    @property
    def _beside(self) -> dict | None:
        """parameters["DS"] of what only the likeness needs; None if nothing.

        If the network gets windows, of the bands whose texture counts; else of what musicnn makes
        windows of.
        """
        if not self.likeness:
            return None
        if self._gets_windows:
            return settings.published()["DS"]
        ds = before_network(windows_beside(self.parameters["DS"]))
        return ds if self.likeness.windows else None

    @property
    def _gets_windows(self) -> bool:
        return self.parameters["DS"]["specTransform"] in MUSICNN

    def answer(self, song: str, spectrogram: np.ndarray, seconds: float | None = None,
               beside: np.ndarray | str | None = None) -> Answer:
        """Give the answer for a spectrogram, (bands, frames), of mel energies.

        `seconds` is the length of the song, if the frames do not tell it, as windows do not.
        `beside` is what else tells whether the song is unlike those of the run: its published mel
        bands if the network gets windows, or else what musicnn makes windows of.
        """
        DS, frames = self.parameters["DS"], spectrogram.shape[1]  # noqa: N806 (as its key)
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
            each.append(self.through(model, chunks))
        second, probabilities = frames_of(DS).seconds, np.mean(each, axis=0)
        times = stretches(start, frames, DS["xInput"]) * second
        if seconds:
            times[-1, 1] = seconds
        # as in training, perhaps without the last one; of a song too short for that, all
        voting = len(chunk_starts(frames, self.parameters)) or len(start)
        answer = Answer(song, None, probabilities[:voting], np.array(start[:voting]) * second,
                        (lengthened - mean) / std, frames, by=self.by, several=self.several,
                        thresholds=self.thresholds, temperature=self.temperature,
                        length=float(times[-1, 1]), times=times[:voting])
        answer.label, rejected = BY[self.by](answer.probabilities), np.zeros(len(start), bool)
        mel, windows = self._compared(spectrogram, beside)
        if mel is not None:
            answer.likeness = self.likeness.of(likeness.Features.of(
                texture(mel, self._gets_windows or is_logarithm(DS)), windows))
            if self.reject:
                rejected = self._rejected(answer.likeness, mel, np.array(start) * second)
            elif answer.likeness < likeness.LEAST:
                odd = odd or UNLIKE
        if rejected[:voting].all():
            answer.label = None
        if self.reject:
            answer.rejected = rejected[:voting]
        answer.segments = (joined(times, probabilities, rejected) if self.thresholds is None else
                           of_each_tag(times, probabilities, self.thresholds))
        answer.tag = tag_of(answer.label, self.classes)
        answer.note = odd and f"is {odd}"
        return answer

    def _compared(self, spectrogram: np.ndarray, beside: np.ndarray | str | None,
               ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Give the mel bands whose texture counts, and musicnn's windows if they count.

        Both are None if the likeness is not asked for, or cannot be told.
        """
        if not self.likeness or self._beside and not isinstance(beside, np.ndarray):
            return None, None
        if self._gets_windows:
            return compress(beside, "log0m1v"), spectrogram if self.likeness.windows else None
        if not self.likeness.windows:
            return spectrogram, None
        network = self._networks().windowsOf(windows_beside(self.parameters["DS"])["specTransform"])
        return spectrogram, finished(beside, network)

    def _rejected(self, alike: float, mel: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Tell which chunks are "unknown": those of a song unlike the others, and silent ones."""
        ds = self.parameters["DS"]
        second = frames_of(self._beside if self._gets_windows else ds).seconds
        end = start + ds["xInput"] * frames_of(ds).seconds
        return np.array([alike < likeness.LEAST or not mel[:, first:last].any() for first, last in
                         zip(np.rint(start / second).astype(int),
                             np.rint(end / second).astype(int), strict=True)])

    def through(self, model: models.Model, chunks: Chunks) -> np.ndarray:
        """Send chunks through one model; give the probabilities, (chunks, classes)."""
        with self._lock:
            network = self.network()
            if len(self.models) > 1:
                network.set_weights(model)
            found = [network.forward(chunks[batch][0]) for batch in chunks.batches(full=True)]
        return np.concatenate(found)[:len(chunks)]

    def network(self) -> "Network":
        """Give the network of the models; the first call builds it."""
        with self._lock:
            if self._network is None:
                with aside():
                    start_theano()
                # imported late: other processes read songs meanwhile
                from mirdl.tagging.network import Network
                self._network = Network(self.models[0], self.parameters, self._networks())
            return self._network
