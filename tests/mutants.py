"""Mutants: small faults, put into a module one by one; the tests of the module must find them.

    make mutants                                # all modules: hours
    make mutants MODULES="dl.py predict.py"     # these modules

Cosmic Ray changes a number, an operator, a condition or a decorator, and runs the tests. The
mutants that no test found are printed, as diffs. All of this happens in a clone of what is
committed. CONTRIBUTING.md says which mutants may survive.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COSMIC_RAY = ROOT / ".venv/mutants/bin"

# module -> the tests that must find its mutants
MODULES = {
    "mirdl/results/votes.py": "tests/mirdl/results/test_votes.py",
    "mirdl/tagging/segments.py": "tests/mirdl/tagging/test_segments.py",
    "mirdl/songs/splits.py": "tests/mirdl/songs/test_splits.py",
    "mirdl/spectrograms/augmentation.py": "tests/mirdl/spectrograms/test_augmentation.py",
    "mirdl/spectrograms/chunks.py": "tests/mirdl/spectrograms/test_chunks.py"
                                    " tests/mirdl/spectrograms/test_augmentation.py",
    "mirdl/spectrograms/libsndfile.py": "tests/mirdl/spectrograms/test_libsndfile.py",
    "mirdl/spectrograms/normalisation.py": "tests/mirdl/spectrograms/test_normalisation.py",
    "mirdl/training/lockstep.py": "tests/mirdl/training/test_lockstep.py",
    "mirdl/training/network.py": "tests/mirdl/training/test_network.py",
    "mirdl/training/schedule.py": "tests/mirdl/training/test_schedule.py",
    "mirdl/training/trial.py": "tests/mirdl/training/test_trial.py",
    "mirdl/training/checkpoint.py": "tests/mirdl/training/test_checkpoint.py",
    "filterbank/op.py": "tests/filterbank/test_op.py tests/filterbank/test_layer.py",
    "theano/link/loop.py": "tests/theano/link/test_loop.py",
    "mirdl/tagging/tagger.py": "tests/mirdl/tagging/test_tagger.py",
    "predict.py": "tests/test_predict.py",
    "dl.py": "tests/test_dl.py -m 'not slow'",
}

CONFIG = """
[cosmic-ray]
module-path = "{module}"
test-command = "{python} -m pytest -x {tests}"
timeout = 300       # seconds: a mutant whose tests take longer counts as found
excluded-modules = []
distributor.name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr"]    # in type annotations: str | None
"""


def main(modules):
    """Try the mutants of these modules, by default of all."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        for module in modules or MODULES:
            tryAll(module, clone)


def tryAll(module, clone):
    """Try all mutants of a module of the clone; print those that survive."""
    config, session = clone / "mutants.toml", clone / "mutants.sqlite"
    config.write_text(CONFIG.format(module=module, tests=MODULES[module], python=sys.executable))
    session.unlink(missing_ok=True)

    def call(program, *arguments):
        subprocess.run([COSMIC_RAY / program, *arguments], cwd=clone, check=True)
    call("cosmic-ray", "baseline", config)
    call("cosmic-ray", "init", config, session)
    call("cr-filter-operators", session, config)
    call("cosmic-ray", "exec", config, session)
    call("cr-report", "--show-diff", "--surviving-only", session)


if __name__ == "__main__":
    main(sys.argv[1:])
