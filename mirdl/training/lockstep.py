"""Several trainings on one device at once: each runs in a thread of its own, and they meet for every epoch."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import jax
import numpy as np

from mirdl.system.progress import screen, set_quiet
from mirdl.training.network import explained
from mirdl.training.on_device import Programs, Songs


class Table:
    """Where trainings meet. An epoch is computed once all that sit at it have asked for one.

    Parameters
    ----------
    network : Network
    dataset : DataSet
        In memory.
    parameters : dict
    count : int
        Seats.

    Attributes
    ----------
    seats : list of Seat
    """

    def __init__(self, network, dataset, parameters, count):
        self.network, self.numParams = network, network.numParams
        self._programs = Programs(network, parameters["DS"]["xInput"])
        self._songs = Songs(dataset.spectrograms)
        with explained():
            self._vectors = jax.device_put([np.stack([vector] * count) for vector in self._read()])
        self.seats = [Seat(self, number) for number in range(count)]
        self._taken, self._asked, self._answers = set(self.seats), {}, {}
        self._most, self._broken = {}, None
        self._change = threading.Condition()

    def ask(self, seat, kind, chunks, batches):
        """What the epoch `kind` ('train' or 'evaluate') of a seat gives: for each of its batches (of one size) two figures."""
        with self._change:
            self._asked[seat] = kind, self._songs.examples(chunks), np.array(batches, np.int32)
            self._serve()
            self._change.wait_for(lambda: seat in self._answers or self._broken)
            if self._broken:
                raise Broken from self._broken
            return self._answers.pop(seat)

    def leave(self, seat):
        """Its training has ended: nobody waits for it any more."""
        with self._change:
            self._taken.discard(seat)
            self._serve()

    def stop(self, error):
        """Send all away."""
        with self._change:
            self._broken = self._broken or error
            self._change.notify_all()

    def through(self, seat, call, *arguments):
        """`call(network, ...)`, the network having meanwhile the values of this seat."""
        with self._change, explained():
            vectors = [np.asarray(vector) for vector in _pick(self._vectors, seat.number)]
            for variable, value in zip(self._programs.shared, self._programs.vectors.values(vectors)):
                variable.set_value(value)
            result = call(self.network, *arguments)
            self._vectors = _put(self._vectors, seat.number, self._read())
            return result

    def _read(self):
        """The network's own values."""
        return self._programs.vectors.of([variable.get_value() for variable in self._programs.shared], np.concatenate)

    def _serve(self):
        """Compute, if all that sit here have asked: first those that ask for the same, in batches of the same size."""
        if self._broken or not self._asked or self._asked.keys() != self._taken:
            return
        asked, self._asked = self._asked, {}
        try:
            for like in {(kind, batches.shape[1]) for kind, _, batches in asked.values()}:
                self._compute(*like, {seat: (examples, batches) for seat, (kind, examples, batches) in asked.items()
                                      if (kind, batches.shape[1]) == like})
        except BaseException as error:
            self._broken = error
            raise
        finally:
            self._change.notify_all()

    def _compute(self, kind, size, asked):
        """All seats are computed, so that nothing is compiled anew when one leaves; what the others get is thrown away."""
        most = max(len(batches) for _, batches in asked.values())
        most = self._most[kind, size] = max(most, self._most.get((kind, size), 0))
        chunks = max(len(examples[0]) for examples, _ in asked.values())
        chunks = self._most[kind] = max(chunks, self._most.get(kind, 0))
        every, on = np.zeros((len(self.seats), most, size), np.int32), np.zeros((len(self.seats), most), bool)
        columns = [np.zeros((len(self.seats), chunks), dtype) for dtype in (np.int32, np.float32, np.float32, np.int32)]
        columns[2][:] = 1
        for seat, (examples, batches) in asked.items():
            every[seat.number, :len(batches)], on[seat.number, :len(batches)] = batches, True
            for column, values in zip(columns, examples):
                column[seat.number, :len(values)] = values
        with explained():
            if kind == "train":
                self._vectors, *figures = self._programs.train(self._vectors, self._songs.frames, columns, every, on)
            else:
                figures = self._programs.evaluate(self._vectors, self._songs.frames, columns, every)
            figures = [np.array(figure) for figure in figures]
        for seat, (_, batches) in asked.items():
            self._answers[seat] = [figure[seat.number, :len(batches)] for figure in figures]


class Seat:
    """One training's network, to be used as `Network` is."""

    def __init__(self, table, number):
        self._table, self.number, self.numParams = table, number, table.numParams

    def trainEpoch(self, chunks, batches):
        """See `Network.trainEpoch`."""
        whole = [batch for batch in batches if len(batch) == len(batches[0])]
        figures = [self._table.ask(self, "train", chunks, some) for some in (whole, batches[len(whole):]) if some]
        return [np.concatenate(figure) for figure in zip(*figures)]

    def evaluate_all(self, chunks, batches):
        """See `Network.evaluate_all`."""
        return [np.concatenate(figure) for figure in self._table.ask(self, "evaluate", chunks, batches)]

    def __getattr__(self, name):
        """The other methods of `Network`."""
        method = getattr(type(self._table.network), name)
        return lambda *arguments: self._table.through(self, method, *arguments)


class Broken(Exception):
    """Another training at the table has failed, or the whole run was stopped."""


def engine(table, progress):
    """An engine as those of `workers.engine`, whose calls also get a `Seat` at the table."""
    def each(function, calls):
        def sit(call, seat):
            try:
                return function(call, seat)
            except BaseException as error:
                table.stop(error)
                raise
            finally:
                table.leave(seat)
        with screen(progress, calls) as tell, ThreadPoolExecutor(len(calls)) as threads:
            before = set_quiet(True)     # one bar for all
            try:
                running = [threads.submit(sit, call, seat) for call, seat in zip(calls, table.seats, strict=True)]
                for ended in as_completed(running):
                    if not isinstance(ended.exception(), Broken):
                        yield ended.result()
                        tell()
            except BaseException as error:
                table.stop(error)
                raise
            finally:
                set_quiet(before)
    return each


@jax.jit
def _pick(values, number):
    return [value[number] for value in values]


@jax.jit
def _put(values, number, new):
    return [value.at[number].set(part) for value, part in zip(values, new)]
