"""Pickles in a zip file, with the arrays beside them by name: `numpy.load` reads those, too."""

import io
import pickle
import zipfile
from collections import Counter
from pickle import Unpickler as CompatUnpickler

import jax
import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.misc.pkl_utils import StripPickler


class PersistentNdarrayID:
    """Writes arrays into `zip_file` in place of the pickle: array_0, array_1 ..."""

    def __init__(self, zip_file):
        self.zip_file, self.count, self.seen = zip_file, 0, {}

    def _resolve_name(self, obj):
        """Return the name for a new array."""
        self.count += 1
        return f"array_{self.count - 1}"

    def __call__(self, obj):
        """Return where an array is written; None for anything else."""
        if type(obj) is not np.ndarray and not isinstance(obj, jax.Array):
            return None
        if id(obj) not in self.seen:
            name = self._resolve_name(obj)
            zipadd(lambda file: np.lib.format.write_array(file, np.asarray(obj)),
                   self.zip_file, name)
            self.seen[id(obj)] = f"ndarray.{name}", obj     # kept, so that no other gets its id
        return self.seen[id(obj)][0]


# In Theano, those that also wrote what lay on a GPU.
PersistentCudaNdarrayID = PersistentGpuArrayID = PersistentNdarrayID


class PersistentSharedVariableID(PersistentNdarrayID):
    """Names the array of a shared variable as the variable: W, and the next one W_2.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
    allow_unnamed, allow_duplicates : bool
        False raises a ValueError for a shared variable without a name, or with another's.
    """

    def __init__(self, zip_file, allow_unnamed=True, allow_duplicates=True):
        super().__init__(zip_file)
        self.allow_unnamed, self.allow_duplicates = allow_unnamed, allow_duplicates
        self.ndarray_names, self.name_counter = {}, Counter()

    def _resolve_name(self, obj):
        if id(obj) not in self.ndarray_names:
            return super()._resolve_name(obj)
        name = self.ndarray_names[id(obj)]
        self.name_counter[name] += 1
        if self.name_counter[name] == 1:
            return name
        if not self.allow_duplicates:
            raise ValueError(f"two shared variables are called {name!r}; rename one of them")
        return f"{name}_{self.name_counter[name]}"

    def __call__(self, obj):
        """Do as the base class, and note the name of a shared variable."""
        if isinstance(obj, SharedVariable):
            if obj.name == "pkl" or not (obj.name or self.allow_unnamed):
                raise ValueError(f"{obj}.name is {obj.name!r}; give it another name")
            if obj.name:
                self.ndarray_names[id(obj.container.storage[0])] = obj.name
        return super().__call__(obj)


class PersistentNdarrayLoad:
    """Reads the arrays that the classes above, or Theano's, have written into `zip_file`."""

    def __init__(self, zip_file):
        self.zip_file, self.cache = zip_file, {}

    def __call__(self, persid):
        """Return the array."""
        kind, _, name = persid.partition(".")
        if name not in self.cache:
            with self.zip_file.open(name) as file:
                if kind == "gpuarray":      # Theano wrote the name of the GPU first
                    pickle.load(file)
                self.cache[name] = np.lib.format.read_array(file, allow_pickle=True)
        return self.cache[name]


def dump(obj, file_handler, protocol=pickle.DEFAULT_PROTOCOL,
         persistent_id=PersistentSharedVariableID):
    """Pickle an object into a zip file, as its entry pkl, with the arrays as further entries."""
    with zipfile.ZipFile(file_handler, "w", zipfile.ZIP_DEFLATED) as zip_file:
        def write(file):
            pickler = pickle.Pickler(file, protocol)
            pickler.persistent_id = persistent_id(zip_file)
            pickler.dump(obj)
        zipadd(write, zip_file, "pkl")


def load(f, persistent_load=PersistentNdarrayLoad):
    """Return the object that `dump` has written."""
    with zipfile.ZipFile(f) as zip_file:
        unpickler = pickle.Unpickler(io.BytesIO(zip_file.read("pkl")), encoding="latin1")
        unpickler.persistent_load = persistent_load(zip_file)
        return unpickler.load()


def zipadd(func, zip_file, name):
    """Add what `func` writes to a file as the entry `name`."""
    content = io.BytesIO()
    func(content)
    zip_file.writestr(name, content.getbuffer())
