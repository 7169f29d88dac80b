"""The one exception for what a user can fix, and how a script ends."""

import errno
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from io import TextIOWrapper
from types import FrameType
from unicodedata import category


class UserError(Exception):
    """Something that the user can fix.

    One line that quotes the value, says what was expected and what to do.
    """


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as batch systems do."""


def exit_on_user_error(main: Callable, *arguments: object) -> None:
    """Call a script's main function; a foreseeable failure is never a traceback.

    A `UserError` becomes one line on stderr and exit status 1. Ctrl-C gives one line and status
    130, SIGTERM status 143, and an output that nobody reads any more (`| head`) status 141.
    """
    _use_utf8()
    _find_home()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        main(*arguments)
        sys.stdout.flush()
    except UserError as error:
        sys.exit(f"error: {one_line(str(error))}")
    except Terminated as stop:
        _stop("SIGTERM", stop, 143)
    except KeyboardInterrupt as stop:
        _stop("Ctrl-C", stop, 130)
    except BrokenPipeError as stop:
        # or Python tries, and fails, to write what is left when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _stop("a closed output", stop, 141)
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        sys.exit(f"error: {error.strerror}; allow more (ulimit -n 1024), then run again")


def _use_utf8() -> None:
    """Read names of files as UTF-8 whatever the locale, and print what the terminal can show.

    Python chooses the encoding of file names when it starts, so it is started again if need be.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:      # it was closed (2>&-), and so was its file descriptor
            setattr(sys, name, open(os.devnull, "w"))       # noqa: SIM115 (until the end)
    if sys.getfilesystemencoding() != "utf-8" and "PYTHONUTF8" not in os.environ:
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _find_home() -> None:
    """Give a user who has no HOME and is unknown to the system a place for caches."""
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = os.path.join(tempfile.gettempdir(), f"home-{os.getuid()}")
        os.makedirs(os.environ["HOME"], exist_ok=True)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _stop(cause: str, stop: BaseException, status: int) -> None:
    """End with a line that says what stopped the program, and how to resume if that is known."""
    advice = [text for text in stop.args if isinstance(text, str) and "resume with" in text]
    if advice or status != 141:
        print(f"\nstopped by {cause}", *advice, sep="; ", file=sys.stderr)
    sys.exit(status)


def one_line(text: str) -> str:
    """Escape the line breaks and control characters that names of files may hold."""
    return "".join(repr(character)[1:-1] if category(character) in ("Cc", "Cs", "Zl", "Zp")
                   else character for character in text)
