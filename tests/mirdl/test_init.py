import os
import subprocess
import sys

import pytest
from conftest import ROOT


def printed(code):
    """What a new process prints on stderr that imports mirdl before `code`."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run([sys.executable, "-c", f"import mirdl, subprocess, sys\n{code}"],
                          capture_output=True, text=True, check=True,
                          env={**environment, "PYTHONPATH": ROOT})
    return done.stderr


WARN = "import warnings; warnings.warn_explicit('odd', {}, 'a.py', 1, {!r})"


@pytest.mark.parametrize("child", [False, True])
@pytest.mark.parametrize("module, shown", [
    ("sklearn.tree._classes", False), ("mirdl.results.figures", False), ("dl", False),
    ("buildArchitecture", True), ("loadDatasets", True), ("theano", True),
    ("mirdl.theano_flags", True), ("loadDatasets2", False)])
def test_warnings_are_those_of_what_the_user_writes(module, shown, child):
    for category in "UserWarning", "RuntimeWarning", "FutureWarning":
        code = WARN.format(category, module)
        code = f"subprocess.run([sys.executable, '-c', {code!r}])" if child else code
        assert printed(code) == (f"a.py:1: {category}: odd\n" if shown else "")


@pytest.mark.parametrize("script", ["run.py", "predict.py", "utils.py"])
def test_outside_its_environment_a_script_says_how_to_enter_it(script):
    done = subprocess.run([sys.executable, "-S", os.path.join(ROOT, script)],     # no site-packages
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "requirements.txt" in done.stderr and ". .venv/bin/activate" in done.stderr


def test_other_programs_import_it_without_its_environment():
    code = f"import sys; sys.path.insert(0, {ROOT!r}); import mirdl.errors"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)


def test_a_library_that_logs_says_nothing_but_errors():
    log = "import logging; logging.getLogger('matplotlib.font_manager').{}('odd')"
    assert printed(log.format("warning")) == "" and printed(log.format("error")) == "odd\n"


def test_the_slow_path_of_a_network_is_told():
    told = printed("""if True:
        from mirdl.theano_flags import start_theano
        start_theano()
        import theano
        from theano import tensor as T
        n = T.iscalar()
        theano.function([n], T.arange(n))(3)""")
    assert "SlowPath: a function is compiled anew for each value of" in told
