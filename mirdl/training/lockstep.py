"""Several trainings in lockstep on one device: each runs in a thread, and they meet every epoch."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import jax
import numpy as np

from mirdl.errors import UserError
from mirdl.songs.dataset import DataSet
from mirdl.spectrograms.chunks import Chunks
from mirdl.system.progress import screen, set_quiet
from mirdl.training.network import Network, memory_errors_told
from mirdl.training.on_device import Programs, Songs
from mirdl.training.targets import target_of
from theano import device


class Lockstep:
    """What trainings in lockstep share: the songs on the device, and the programs.

    An epoch is computed once every training that has not ended has asked for one.

    Parameters
    ----------
    build : callable
        As for `Network`.
    parameters : dict
        Checked by `settings.check`.
    dataset : DataSet
        In memory.
    count : int
        How many trainings.

    Attributes
    ----------
    slots : list of Slot
        The networks of the trainings.

    Raises
    ------
    UserError
        If the spectrograms are read from disk.
    """

    def __init__(self, build: Callable, parameters: dict[str, Any], dataset: DataSet,
                 count: int) -> None:
        if not dataset.in_memory:
            raise UserError("foldsTogether=True needs the data set in memory, and its "
                            "spectrograms are read from disk: set DS.store=memory, or leave out "
                            "foldsTogether")
        self.network = Network(build, parameters, len(dataset.classes), compile_now=False,
                               target=target_of(dataset.labels))
        self._programs = Programs(self.network, parameters["DS"]["xInput"])
        self._songs = Songs(dataset.spectrograms, parameters["DS"])
        with memory_errors_told():
            self._vectors = jax.device_put([np.stack([vector] * count) for vector in self._read()])
        self.slots = [Slot(self, number) for number in range(count)]
        self._active, self._asked, self._answers = set(self.slots), {}, {}
        self._largest, self._error = {}, None
        self._change = threading.Condition()

    def compute(self, slot: "Slot", kind: str, chunks: Chunks,
                batches: list[np.ndarray]) -> list[np.ndarray]:
        """Compute an epoch of one training, together with that of all others.

        Parameters
        ----------
        slot : Slot
        kind : {'train', 'evaluate'}
        chunks : Chunks
        batches : list of ndarray
            Places among the chunks; all of one size.

        Returns
        -------
        list of ndarray
            Two figures for each batch; see `Programs`.

        Raises
        ------
        StoppedError
            If another training has failed.
        """
        with self._change:
            examples = self._songs.examples(chunks)
            self._asked[slot] = kind, examples, np.array(batches, np.int32)
            self._compute_if_all_asked()
            self._change.wait_for(lambda: slot in self._answers or self._error)
            if self._error:
                raise StoppedError from self._error
            return self._answers.pop(slot)

    def end(self, slot: "Slot") -> None:
        """Note that a training has ended: nothing waits for it any more."""
        with self._change:
            self._active.discard(slot)
            self._compute_if_all_asked()

    def stop(self, error: BaseException) -> None:
        """Stop all trainings because of an error."""
        with self._change:
            self._error = self._error or error
            self._change.notify_all()

    def call(self, slot: "Slot", method: Callable, *arguments: object) -> Any:  # noqa: ANN401 (what the method gives)
        """Call a method of the network while it holds the values of this slot."""
        with self._change, memory_errors_told():
            vectors = [np.asarray(vector) for vector in _pick(self._vectors, slot.number)]
            values = self._programs.vectors.values(vectors)
            for variable, value in zip(self._programs.shared, values, strict=True):
                variable.set_value(value)
            result = method(self.network, *arguments)
            self._vectors = _put(self._vectors, slot.number, self._read())
            return result

    def run_jobs(self, function: Callable, jobs: list,
                 progress: Callable[[], tuple[int, int, str]]) -> Iterator[tuple]:
        """Call `function(job, slot)` for each job, each in a thread with a slot of its own.

        See `processes.run_jobs`.
        """
        def run_job(job: object, slot: Slot) -> object:
            try:
                result = function(job, slot)
                self.end(slot)
                return result
            except BaseException as error:
                self.stop(error)
                raise
        with screen(progress, jobs) as tell, ThreadPoolExecutor(len(jobs)) as threads:
            before = set_quiet(True)     # one bar for all
            try:
                running = {threads.submit(run_job, job, slot): job
                           for job, slot in zip(jobs, self.slots, strict=True)}
                while running:
                    for ended in wait(running, 1, FIRST_COMPLETED).done:
                        job = running.pop(ended)
                        if not isinstance(ended.exception(), StoppedError):
                            yield job, ended.result()
                    tell()
            except BaseException as error:
                self.stop(error)
                raise
            finally:
                set_quiet(before)

    def _read(self) -> list[np.ndarray]:
        """Give the network's own values, as vectors."""
        values = [variable.get_value() for variable in self._programs.shared]
        return self._programs.vectors.of(values, np.concatenate)

    def _compute_if_all_asked(self) -> None:
        """Compute the requests, grouping those of the same kind and batch size."""
        if self._error or not self._asked or self._asked.keys() != self._active:
            return
        asked, self._asked = self._asked, {}
        for like in {(kind, batches.shape[1]) for kind, _, batches in asked.values()}:
            alike = {slot: (examples, batches)
                     for slot, (kind, examples, batches) in asked.items()
                     if (kind, batches.shape[1]) == like}
            self._compute_alike(*like, alike)
        self._change.notify_all()

    def _compute_alike(self, kind: str, size: int, asked: dict) -> None:
        """Compute the epochs of the same kind and batch size, and keep the answers.

        All slots are computed, so that nothing is compiled anew when a training ends; what the
        others give is discarded. For the same reason arrays never shrink between epochs.
        """
        count = len(self.slots)
        most = self._keep_largest((kind, size), (len(batches) for _, batches in asked.values()))
        chunks = self._keep_largest(kind, (len(examples.y) for examples, _ in asked.values()))
        every, on = np.zeros((count, most, size), np.int32), np.zeros((count, most), bool)
        like, _ = next(iter(asked.values()))
        # ones where nothing is asked for: standard deviations must not be 0
        columns = jax.tree.map(
            lambda values: np.ones((count, chunks, *values.shape[1:]), values.dtype), like)
        for slot, (examples, batches) in asked.items():
            every[slot.number, :len(batches)], on[slot.number, :len(batches)] = batches, True
            for column, values in zip(*map(jax.tree.leaves, (columns, examples)), strict=True):
                column[slot.number, :len(values)] = values
        with memory_errors_told():
            if kind == "train":
                self._vectors, *figures = self._programs.train(
                    self._vectors, self._songs.frames, columns, every, on)
            else:
                figures = self._programs.evaluate(
                    self._vectors, self._songs.frames, columns, every)
            figures = [np.array(figure) for figure in figures]
        for slot, (_, batches) in asked.items():
            self._answers[slot] = [figure[slot.number, :len(batches)] for figure in figures]

    def _keep_largest(self, key: object, sizes: Iterator[int]) -> int:
        self._largest[key] = max(*sizes, self._largest.get(key, 0))
        return self._largest[key]


class Slot:
    """The network of one of the trainings in lockstep, to be used as `Network` is."""

    def __init__(self, lockstep: Lockstep, number: int) -> None:
        self._lockstep, self.number = lockstep, number

    def train_epoch(self, chunks: Chunks, batches: list[np.ndarray]) -> list[np.ndarray]:
        """Train with each batch; see `Network.train_epoch`."""
        whole = [batch for batch in batches if len(batch) == len(batches[0])]
        figures = [self._lockstep.compute(self, "train", chunks, some)
                   for some in (whole, batches[len(whole):]) if some]
        return [np.concatenate(figure) for figure in zip(*figures, strict=True)]

    def evaluate_all(self, chunks: Chunks, order: np.ndarray) -> list[np.ndarray]:
        """Evaluate chunks; see `Network.evaluate_all`."""
        batches = chunks.batches(order, full=True)
        figures = self._lockstep.compute(self, "evaluate", chunks, batches)
        return [np.concatenate(figure)[:len(order)] for figure in figures]

    def reset(self, rng: np.random.RandomState, seed: int) -> None:
        """Start anew; see `Network.reset`."""
        self._lockstep.call(self, Network.reset, rng, seed)

    def set_learning_rate(self, lr: float, gradual: bool = False) -> None:
        """Set a new learning rate; see `Network.set_learning_rate`."""
        self._lockstep.call(self, Network.set_learning_rate, lr, gradual)

    def set_shares(self, y: np.ndarray) -> None:
        """See `Network.set_shares`."""
        self._lockstep.call(self, Network.set_shares, y)

    def get_weights(self) -> list[np.ndarray]:
        """Give the values of all parameters; see `Network.get_weights`."""
        return self._lockstep.call(self, Network.get_weights)

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Set all parameters; see `Network.set_weights`."""
        self._lockstep.call(self, Network.set_weights, values)

    def get_state(self) -> dict[str, list[np.ndarray]]:
        """Give all that training changes; see `Network.get_state`."""
        return self._lockstep.call(self, Network.get_state)

    def set_state(self, state: dict[str, list[np.ndarray]]) -> None:
        """Continue from what `get_state` gave."""
        self._lockstep.call(self, Network.set_state, state)


def make_network(build: Callable, parameters: dict[str, Any],
                 dataset: DataSet) -> "Network | Slot":
    """Make a compiled network; on a GPU, songs that are in memory are kept there, too."""
    if device.in_use().platform != "cpu" and dataset.in_memory:
        return Lockstep(build, parameters, dataset, 1).slots[0]
    return Network(build, parameters, len(dataset.classes), target=target_of(dataset.labels))


class StoppedError(Exception):
    """Another training in lockstep has failed, or the whole run was stopped."""


@jax.jit
def _pick(values: list, number: int) -> list:
    return [value[number] for value in values]


@jax.jit
def _put(values: list, number: int, new: list) -> list:
    return [value.at[number].set(part) for value, part in zip(values, new, strict=True)]
