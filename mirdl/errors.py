"""The one exception that stands for a user's mistake."""

import sys


class UserError(Exception):
    """Something that the user can mend: one line that quotes the value, says what was expected and what to do."""


def exit_on_user_error(main, *arguments):
    """Call `main`; a `UserError` becomes one line on stderr and exit status 1, Ctrl-C one line and status 130."""
    try:
        return main(*arguments)
    except UserError as error:
        sys.exit(f"error: {_one_line(str(error))}")
    except KeyboardInterrupt as stop:
        print("\nstopped by Ctrl-C", *stop.args, sep="; ", file=sys.stderr)
        sys.exit(130)


def _one_line(text):
    """`text` with line breaks and other characters that are not to be printed (names of files may hold them) escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
