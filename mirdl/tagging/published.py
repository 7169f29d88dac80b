"""musicnn as it was published: a model that knows 50 tags before any training."""

from mirdl import settings
from mirdl.frames import MUSICNN_MEL, WINDOW
from mirdl.pretrained import musicnn
from mirdl.results.model_info import ModelInfo
from mirdl.results.models import Model


def model_of(name: str) -> Model:
    """Make a model of published weights.

    Parameters
    ----------
    name : {"musicnn-MTT", "musicnn-MSD"}

    Raises
    ------
    UserError
        If the weights are not there and cannot be fetched.
    """
    parameters = settings.changed(settings.published(), [
        "DL.type=musicnn", f"DS.specTransform={MUSICNN_MEL}", "DS.inputNorm=None",
        f"DS.xInput={WINDOW}", f"chunkHop={WINDOW}", "DS.short=repeat", "asPublished=False"])
    info = ModelInfo(parameters, musicnn.tags(name), 0, 0, None, {}, [0.0, 1.0], [], [], [],
                     several=True)
    return Model(name, musicnn.KEPT, musicnn.weights(name), info)
