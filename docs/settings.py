"""Write docs/settings.md from the table of settings: `python docs/settings.py`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE / "settings.md"
sys.path.insert(0, str(HERE.parent))     # for mirdl

from mirdl import recipes, settings  # noqa: E402 (only now can it be found)

HEAD = """\
# Settings

All settings are in `run.py`, one per line. Change them there, or on the command line:

    python run.py DL.type=pNetOne DL.lr=0.02 folds=4

`DL.lr` on the command line is `parameters["DL"]["lr"]` in `run.py`. A key or a value that is not
allowed is refused in one line, before any work, with the nearest name. The defaults below are the
published program's values for the keys that it had. To see the values that `run.py` has now:

    python run.py --help

This page is made from the table in `mirdl/settings.py` by `docs/settings.py`. Do not edit it.
"""

SECTIONS = {
    settings.EXPERIMENT: ("The experiment", """\
These settings say what is trained and tested, and on which songs. To compare several values, see
`sweep`."""),
    settings.SPECTROGRAM: ("The spectrograms", """\
These settings shape what is computed from the audio files. If you change one, all spectrograms are
computed anew; those of the old values stay in `data/preloaded`. A model can only be used with the
values that it was trained with."""),
    settings.INPUT: ("The network's input", """\
These settings shape what the network sees of a spectrogram. Nothing is computed anew if you change
them, but a model can only be used with the values that it was trained with."""),
    settings.EXECUTION: ("How the work is done", """\
These settings change no number and no file of a run, except that `foldsTogether` rounds differently
(the results agree to 1e-4). So all of them but `sweep` may be given with `resume=`."""),
}

RECIPES = """\
## Recipes

A recipe stands for the settings below. It replaces only what still has its published value: what
you have set in `run.py` or on the command line stays. Each replaced setting is printed. See
[recipes.md](recipes.md) for what a recipe gains, and why it has these values.
"""

TAIL = """\
## Keys that follow from others

These keys cannot be set. They are in the `.param` file of a run.

| key | follows from |
| --- | --- |
"""


def page() -> str:
    """Make the text of docs/settings.md."""
    parts = [HEAD]
    for role, (title, text) in SECTIONS.items():
        rows = [_row(setting) for setting in settings.SETTINGS.values() if setting.role == role]
        parts.append(f"## {title}\n\n{text}\n\n| key | default | meaning | it may be |\n"
                     "| --- | --- | --- | --- |\n" + "".join(rows))
    parts.append(RECIPES)
    parts += [f"| key | `recipe={name}` |\n| --- | --- |\n"
              + "".join(f"| `{key}` | `{value}` |\n" for key, value in values.items())
              for name, values in recipes.RECIPES.items() if values]
    parts.append(TAIL + "".join(f"| `{key}` | {source} |\n"
                                for key, source in settings.DERIVED.items()))
    return "\n".join(parts)


def _row(setting: settings.Setting) -> str:
    default = f"`{setting.default}`" if setting.default != "" else "(empty)"
    cells = f"`{setting.key}`", default, setting.meaning, setting.kind.expected
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Written to {PAGE}")
