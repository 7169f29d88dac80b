"""When the learning rate falls and when training stops."""

from dataclasses import dataclass

PATIENCE = 20       # epochs of rising loss after which the next fall halves the learning rate
LIMIT = 40          # epochs of rising loss after which one more stops the training


@dataclass
class Schedule:
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
