"""Recipes: settings that belong together, under one word.

docs/recipes.md measures `recipe=today` and `recipe=transfer`. The published settings are the recipe
'published'.
"""

from collections.abc import Callable
from typing import Any

from mirdl import settings
from mirdl.errors import UserError

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
        "DS.short": "repeat",
        "DS.level": "rms",
        "DS.inputNormWhere": "local",
        "DS.augment": "crop+gain:0.3+mask:0.3+mixup:0.5",
    },
    "transfer": {
        "asPublished": False,
        "stratified": True,
        "validation": "0",
        "unknown": "musicnn",
        "chunkHop": 20,
        "DL.type": "probe",
        "DL.batchSize": 16,
        "DL.num_epochs": 60,
        "DL.update": "adam",
        "DL.lr": 0.001,
        "DL.schedule": "cosine",
        "DS.xInput": 20,        # windows: 31 s
        "DS.short": "repeat",
        "DS.inputNorm": "bands",        # before the transform, which allows no logarithm
        "DS.specTransform": "musicnn-MSD",
    },
}


def apply(parameters: dict[str, Any], arguments: list[str] = ()) -> dict[str, Any]:
    """Replace settings by those of the recipe that the parameters name, and print which.

    A setting is replaced if it has the published value and no argument names it: what a user has
    chosen stays. Where the recipe contradicts that, it gives way.

    Parameters
    ----------
    parameters : dict
        Nested, as in run.py.
    arguments : list of str
        The overrides 'key=value' that were applied to them.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        For an unknown recipe, and if a setting contradicts the spectrograms of the recipe.
    """
    chosen = {argument.partition("=")[0] for argument in arguments}
    published = dict(settings.flat(settings.published()))
    values = dict(settings.flat(parameters))
    name = settings.allowed("recipe", values.get("recipe", "published"))
    for key, value in RECIPES[name].items():
        if key in chosen or values.get(key) != published[key]:
            continue
        changed = {**values, key: value}
        problem = _problem(changed)
        if problem and problem != _problem(values):
            if settings.SETTINGS[key].role == settings.SPECTROGRAM:
                raise UserError(f"recipe={name} needs {key}={value}: {problem}")
            _print_given_way(name, f"{key}={published[key]}", problem)
        else:
            print(f"recipe={name}: {key} = {value!r} (was {published[key]!r})")
            values = changed
    return settings.nested(values)


def give_way(parameters: dict[str, Any], attempt: Callable[[dict[str, Any]], Any],
             overrides: list[str] = ()) -> dict[str, Any]:
    """Give one setting of the recipe its published value, if that is all that is needed.

    A line says which.

    Parameters
    ----------
    parameters : dict
        Checked parameters of a run.
    attempt : callable
        Takes parameters; raises UserError if they cannot be used.
    overrides : list of str
        Of other settings, to be applied to the parameters.

    Returns
    -------
    dict
        Changed parameters with which `attempt` succeeded.

    Raises
    ------
    UserError
        What `attempt` raises with the parameters as they are, if no such change helps.
    """
    recipe, values = RECIPES[parameters["recipe"]], dict(settings.flat(parameters))
    try:
        changed = settings.changed(parameters, overrides)
        attempt(changed)
        return changed
    except UserError as error:
        ways = [" ".join([f"{key}={settings.SETTINGS[key].default}", *overrides])
                for key, value in recipe.items() if values[key] == value]
        for way in settings.that_work(ways, parameters, attempt):
            _print_given_way(parameters["recipe"], way.split()[0], str(error))
            return settings.changed(parameters, way.split())
        raise


def _problem(values: dict[str, Any]) -> str:
    """Say why parameters, given by their keys, are refused; '' if they are not."""
    try:
        settings.check(settings.nested(values))
    except UserError as error:
        return str(error)
    return ""


def _print_given_way(name: str, published: str, problem: str) -> None:
    print(f"recipe={name} gives way: {published} stays, as otherwise {problem}")


def help_text() -> str:
    """Write what each recipe stands for, for `python run.py --help`."""
    lines = [f"  recipe={name}: {' '.join(f'{key}={value}' for key, value in values.items())}"
             for name, values in RECIPES.items() if values]
    return "\n".join(["Recipes, which replace settings that have their published values:", *lines])
