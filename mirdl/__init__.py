"""What the scripts share, in nine packages; see docs/architecture.md."""

import logging
import os
import sys
import warnings
from importlib.util import find_spec

SCRIPTS = ("run.py", "predict.py", "utils.py")
# only these end here: a worker of a cluster, say, hands the error of an import on
if os.path.basename(sys.argv[0]) in SCRIPTS and not find_spec("lasagne"):
    sys.exit(f"error: {sys.executable} lacks packages of requirements.txt; enter the "
             "environment that has them: . .venv/bin/activate (make .venv/ready makes it)")

# The warnings that reach the user: those of the code that he writes, and Theano's. No library's
# does, whatever the data; what matters is said in our own words.
SHOWN = ("buildArchitecture", "loadDatasets", "theano", "mirdl.theano_flags")

if not sys.warnoptions:         # otherwise by python -W, or in a process that was started from here
    warnings.simplefilter("ignore")
    for module in SHOWN:
        warnings.filterwarnings("default", module=rf"{module}\Z")
    os.environ["PYTHONWARNINGS"] = ",".join(["ignore", *(f"default:::{each}" for each in SHOWN)])
for library in ("jax", "matplotlib"):       # which warn by way of logging
    logging.getLogger(library).setLevel(logging.ERROR)
