"""Recipes: settings that belong together, under one word.

`recipe=today` is what docs/recipes.md measures. The published settings are the recipe 'published'.
"""

from collections.abc import Callable
from typing import Any

from mirdl import settings

RECIPES = {
    "published": {},
    "today": {
        "asPublished": False,
        "stratified": True,
        "validation": "0",
        "DL.batchSize": 16,
        "DL.num_epochs": 60,
        "DL.update": "adam",
        "DL.lr": 0.002,
        "DL.weightDecay": 0.01,
        "DL.schedule": "cosine",
        "DS.inputNormWhere": "local",
        "DS.augment": "crop+gain:0.3+mask:0.3+mixup:0.5",
    },
}


def apply(parameters: dict[str, Any], arguments: list[str] = (),
          tell: Callable[[str], Any] = print) -> dict[str, Any]:
    """Replace settings by those of the recipe that the parameters name.

    A setting is replaced if it has the published value and no argument names it: what a user has
    chosen stays.

    Parameters
    ----------
    parameters : dict
        Nested, as in run.py.
    arguments : list of str
        The overrides 'key=value' that were applied to them.
    tell : callable
        Takes a line of text for each setting that is replaced.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        For a recipe that there is not.
    """
    chosen = {argument.partition("=")[0] for argument in arguments}
    published = dict(settings.flat(settings.published()))
    values = dict(settings.flat(parameters))
    name = settings.allowed("recipe", values.get("recipe", "published"))
    changes = [f"{key}={value}" for key, value in RECIPES[name].items()
               if key not in chosen and values.get(key) == published[key] != value]
    return settings.override(parameters, changes, lambda line: tell(f"recipe={name}: {line}"))


def help_text() -> str:
    """Write what each recipe stands for, for `python run.py --help`."""
    lines = [f"  recipe={name}: {' '.join(f'{key}={value}' for key, value in values.items())}"
             for name, values in RECIPES.items() if values]
    return "\n".join(["Recipes, which replace settings that have their published values:", *lines])
