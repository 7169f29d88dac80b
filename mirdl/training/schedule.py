"""When the learning rate falls and when training stops.

A schedule has `lr`, the learning rate of the next epoch; `add(loss)`, which takes the training
loss of an epoch and tells whether training stops there; and `gradual`, whether `lr` changes with
every epoch.
"""

from dataclasses import dataclass
from math import cos, pi
from typing import Any

PATIENCE = 20       # epochs of rising loss after which the next fall halves the learning rate
LIMIT = 40          # epochs of rising loss after which one more stops the training


@dataclass
class Published:
    """The original's rule on the training loss of each epoch.

    An epoch whose loss is above that of the last epoch that did not rise counts as a rise. A lower
    loss does not set the count back to 0; a new learning rate does. More than 40 rises stop the
    training; a lower loss after more than 20 halves the learning rate.

    Attributes
    ----------
    lr : float
        The learning rate of the next epoch.
    loss : float
        Training loss of the last epoch that did not rise.
    rises : int
    """

    lr: float
    loss: float = float("inf")
    rises: int = 0

    gradual = False

    def add(self, loss: float) -> bool:
        """Add the training loss of an epoch; tell whether training stops here."""
        if loss > self.loss:
            self.rises += 1
            return self.rises > LIMIT
        if self.rises > PATIENCE:
            self.lr /= 2
            self.rises = 0
        self.loss = loss
        return False


@dataclass
class Cosine:
    """Half a cosine from the first learning rate down to 0 after the last epoch.

    I. Loshchilov and F. Hutter, 'SGDR', ICLR 2017, without restarts.

    Attributes
    ----------
    peak : float
        The first learning rate.
    epochs : int
        How many there are.
    epoch : int
        The next one, from 0.
    """

    peak: float
    epochs: int
    epoch: int = 0

    gradual = True

    @property
    def lr(self) -> float:
        """The learning rate of the next epoch."""
        return self.peak * (1 + cos(pi * self.epoch / self.epochs)) / 2

    def add(self, loss: float) -> bool:
        """Add an epoch; training never stops early."""
        self.epoch += 1
        return False


def new(parameters: dict[str, Any]) -> Published | Cosine:
    """Make the schedule DL.schedule before the first epoch."""
    values = parameters["DL"]
    if values["schedule"] == "cosine":
        return Cosine(values["lr"], values["num_epochs"])
    return Published(values["lr"])
