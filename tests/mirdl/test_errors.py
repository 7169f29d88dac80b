import errno
import os
import subprocess
import sys

import pytest
from conftest import ROOT

from mirdl.errors import exit_on_user_error, one_line

pytestmark = pytest.mark.xdist_group("serial")

SCRIPT = """if True:
    import os, signal, sys
    from mirdl.errors import UserError, exit_on_user_error

    def fail():
        raise UserError("there is no song 'two\\nlines.wav'")

    def interrupt():
        signal.raise_signal(signal.SIGINT)

    def interrupt_with_advice():
        raise KeyboardInterrupt("resume with: python run.py resume=5")

    def terminate():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

    def talk():
        for number in range(100000):
            print("line", number)

    def crash():
        raise ValueError("a mistake of the program")

    exit_on_user_error(globals()[sys.argv[1]])
    """


def start(function):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, function], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("function, status, line", [
    ("fail", 1, "error: there is no song 'two\\nlines.wav'"),
    ("interrupt", 130, "\nstopped by Ctrl-C"),
    ("interrupt_with_advice", 130,
     "\nstopped by Ctrl-C; resume with: python run.py resume=5"),
    ("terminate", 143, "\nstopped by SIGTERM"),
])
def test_a_foreseeable_end_is_one_line_and_a_status(function, status, line):
    process = start(function)
    assert process.communicate(timeout=60) == ("", f"{line}\n")
    assert process.returncode == status


def test_nobody_reads_on():
    process = start("talk")
    assert process.stdout.readline() == "line 0\n"
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(60) == 141


def test_another_exception_is_a_traceback():
    process = start("crash")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" in err
    assert err.endswith("ValueError: a mistake of the program\n")


@pytest.mark.parametrize("text, line", [
    ("plain, ♫ and 祭り", "plain, ♫ and 祭り"), ("a\nb\tc", r"a\nb\tc"), ("\x1b[31m", r"\x1b[31m"),
    ("\u2028", r"\u2028"), ("Latin-1 \udce9", r"Latin-1 \udce9")])
def test_names_of_files_stay_in_one_line(text, line):
    assert one_line(text) == line


def test_too_many_open_files_is_no_traceback():
    def fail():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "data/results")
    with pytest.raises(SystemExit) as end:
        exit_on_user_error(fail)
    assert end.value.code == (
        "error: Too many open files; allow more (ulimit -n 1024), then run again")
