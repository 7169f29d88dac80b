"""The training curves of a run: the figures of each epoch."""

from typing import NamedTuple

import numpy as np


class EpochFigures(NamedTuple):
    """The figures of one epoch, a row of the training curves.

    Attributes
    ----------
    epoch : int
        From 0.
    training_loss, validation_loss : float
    training_accuracy, validation_accuracy : float
        In %. Those of the validation are nan if no songs validate.
    """

    epoch: int
    training_loss: float
    training_accuracy: float
    validation_loss: float
    validation_accuracy: float

    # class attributes: the columns of its table, and its words for the two accuracies
    columns = "epoch", "trainingLoss", "trainingAccuracy", "validationLoss", "validationAccuracy"
    words = "accuracy", "accuracy"

    @property
    def is_validated(self) -> bool:
        """Whether there are validation songs."""
        return not np.isnan(self.validation_accuracy)

    def diverged(self) -> str:
        """Say which loss is not finite, '' if both are."""
        losses = {"training": self.training_loss}
        if self.is_validated:
            losses["validation"] = self.validation_loss
        for part, loss in losses.items():
            if not np.isfinite(loss):
                return f"the {part} loss is {loss}"
        return ""


class TagFigures(EpochFigures):
    """The figures of one epoch where a song may have several tags.

    `training_accuracy` is the share of all tags of all chunks for which a threshold of 0.5 is
    right; `validation_accuracy` the mean average precision of the validation songs.
    """

    columns = ("epoch", "trainingLoss", "trainingTagsRight", "validationLoss",
               "validationAveragePrecision")
    words = "tags right at 0.5", "mean average precision"
