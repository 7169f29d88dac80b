"""What a run starts with, and why it may not be resumed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.songs.dataset import DataSet


@dataclass(frozen=True)
class Run:
    """What a run starts with, and what a resumed run continues with.

    Attributes
    ----------
    parameters : dict
        Nested, as in run.py, without those of the role `settings.EXECUTION`.
    run_id : str
    seed : int
        All random streams come from it.
    fingerprint : dict
        Of the songs; see `DataSet.fingerprint`.
    source : str
        The hash of the network's source; see `architectures.source_hash`.
    sweep : str or None
        The id of the sweep that it belongs to.
    """

    parameters: dict[str, Any]
    run_id: str
    seed: int
    fingerprint: dict[str, Any]
    source: str
    sweep: str | None = None

    @property
    def name(self) -> str:
        """DATASET_TYPE_ID, the name of its files."""
        return files.name_of(self.parameters, self.run_id)

    def check_source(self, source: str) -> None:
        """Refuse to resume with a network whose source has changed."""
        if source != self.source:
            network = self.parameters["DL"]["type"]
            raise ChangedError(f"the network {network} of buildArchitecture.py has changed since "
                               f"the run {self.name!r} was begun (a worker of a cluster knows it "
                               "as it was when the worker was started); put the old one back, or "
                               "begin a new run")

    def check_songs(self, dataset: DataSet) -> None:
        """Refuse to resume with other songs, or other tags, groups or splits of them."""
        if not dataset.fits(self.fingerprint):
            raise ChangedError(f"the songs of data set {self.parameters['DS']['dataset']!r}, or "
                               "their tags, groups or split, are not those that the run "
                               f"{self.name!r} started with; put them back, or begin a new run")


class ChangedError(UserError):
    """A stopped run cannot be resumed with the network or the songs as they are now."""


class DivergedError(UserError):
    """No training of a run had a finite loss."""

    def __init__(self, run: Run) -> None:
        super().__init__("no fold could be trained: the loss was not finite from the first epoch "
                         f"on with DL.lr={run.parameters['DL']['lr']}; lower it")


def base_seed(parameters: dict[str, Any]) -> int:
    """Give the seed of a new run: random_seed, or a new one if use_random_seed is False."""
    if parameters["use_random_seed"]:
        return parameters["random_seed"]
    return int(np.random.SeedSequence().entropy % 2**32)
