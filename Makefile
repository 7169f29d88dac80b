# make run: train and cross-validate a paper network on DanceLoops, which it makes itself.
# make test: the quick tests.   make lint: the style.
# make test-all: all tests, with the packages of every optional feature.
# make paper: all architectures of the paper with both chunk hops on Ballroom, which is downloaded.
#   Stopped, it goes on. Other settings: make paper PAPER="DS.dataset=DanceLoops folds=3"
# make torture: kill it, starve it, feed it rubbish, at length (50 minutes on 2 cores).
# make mutants: put small faults into the code, which the tests must find (hours).
# Another Python: make run PYTHON=python3.12

PYTHON ?= python3
VENV = .venv/bin/python
NETWORKS = oNetOne,pNetOne,oNetTwo,pNetTwo,oNetpNet,oNetTwopNetTwo,oNetFourpNetFour,oNetEightpNetEight

.PHONY: run test test-all lint paper torture mutants

run: .venv/ready data/datasets/DanceLoops
	$(VENV) run.py DS.dataset=DanceLoops DL.type=pNetOne chunkHop=100 folds=5 DL.num_epochs=30 DL.batchSize=25 DL.lr=0.025

test: .venv/ready
	$(VENV) -m pytest -n auto -m "not slow" $(PYTEST)

test-all: .venv/optional
	$(VENV) -m pytest -n auto $(PYTEST)

lint: .venv/ready
	$(VENV) -m ruff check .

paper: .venv/ready
	$(VENV) run.py $(PAPER) sweep="DL.type=$(NETWORKS) chunkHop=250,80"

torture: .venv/ready
	MIRDL_TORTURE=1 $(VENV) -m pytest -o faulthandler_timeout=7200 tests/test_resume.py tests/test_bad_inputs.py tests/test_fuzz.py

mutants: .venv/mutants/ready
	$(VENV) tests/mutants.py $(MODULES)

data/datasets/DanceLoops: | .venv/ready
	$(VENV) data/makeDanceLoops.py

# tensorboardX in a folder of its own: wherever it can be imported, each run writes its files, too
.venv/optional: requirements-export.txt .venv/ready
	$(VENV) -m pip install --quiet --disable-pip-version-check -r requirements-export.txt
	$(VENV) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/tensorboard tensorboardX==2.6.5
	@touch $@

# an environment of its own: nothing else needs what Cosmic Ray brings along
.venv/mutants/ready: | .venv/ready
	$(VENV) -m venv .venv/mutants
	.venv/mutants/bin/pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0
	@touch $@

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("error: $(PYTHON) is Python %d.%d; this needs 3.11, 3.12 or 3.13: make run PYTHON=python3.12" % v)'
	$(PYTHON) -m venv .venv
	$(VENV) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
