"""Training curves for TensorBoard, where a writer of its event files is installed."""

from contextlib import contextmanager
from importlib.util import find_spec

from mirdl.results.files import CURVES, path_of


@contextmanager
def events(name):
    """Gives a function that takes in the figures of an epoch, in the order of `results.CURVES`.

    It writes them to the folder NAME.events in data/results by tensorboardX or PyTorch's writer; without one it does nothing.
    """
    if find_spec("tensorboardX"):
        from tensorboardX import SummaryWriter
    elif find_spec("torch") and find_spec("tensorboard"):
        from torch.utils.tensorboard import SummaryWriter
    else:
        yield lambda row: None
        return
    with SummaryWriter(path_of(name, ".events")) as writer:
        def write(row):
            for title, figure in zip(CURVES[1:], row[1:]):
                writer.add_scalar(title, figure, row[0])
        yield write
