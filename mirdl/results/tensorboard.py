"""Training curves for TensorBoard, where a writer of its event files is installed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from mirdl.results.curves import EpochFigures
from mirdl.results.files import path_of


@contextmanager
def events(name: str) -> Iterator[Callable[[EpochFigures], None]]:
    """Give a function that writes the figures of an epoch to the folder NAME.events.

    The writer is tensorboardX's or PyTorch's; where neither is installed, nothing is written.
    """
    if find_spec("tensorboardX"):
        from tensorboardX import SummaryWriter
    elif find_spec("torch") and find_spec("tensorboard"):
        from torch.utils.tensorboard import SummaryWriter
    else:
        yield lambda figures: None
        return
    with SummaryWriter(path_of(name, ".events")) as writer:
        def write(figures: EpochFigures) -> None:
            for title, figure in zip(figures.columns[1:], figures[1:], strict=True):
                writer.add_scalar(title, figure, figures.epoch)
        yield write
