"""What the scripts share, in seven rooms; see docs/architecture.md."""

import os
import warnings

# mirdl.system.pool says in its own words when processes cannot share memory. The variable is for
# the processes that are started here.
os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:joblib._multiprocessing_helpers")
warnings.filterwarnings("ignore", message=".*joblib will operate in serial mode")
