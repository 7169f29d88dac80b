import pytest

import run
from mirdl import recipes, settings
from mirdl.errors import UserError
from mirdl.training import sweep


def values_of(*overrides, parameters=None):
    arguments = list(overrides)
    changed = settings.override(parameters or settings.published(), arguments, tell=str)
    return dict(settings.flat(recipes.apply(changed, arguments)))


def test_every_value_of_a_recipe_is_allowed_and_another_than_the_published_one():
    published = dict(settings.flat(settings.published()))
    for key, value in recipes.RECIPES["today"].items():
        assert settings.allowed(key, value) == value != published[key]
    assert "DL.type" not in recipes.RECIPES["today"]
    settings.check(recipes.apply(settings.override(settings.published(), ["recipe=today"])))


def test_transfer_needs_no_other_setting(parameters):
    values = values_of("recipe=transfer")
    assert {**values, **recipes.RECIPES["transfer"]} == values
    settled = recipes.apply(settings.override(settings.published(), ["recipe=transfer"]))
    assert settings.check(settled)["DS"]["yInput"] == 1506


def test_transfer_does_without_other_spectrograms_only_if_they_are_chosen():
    message = "recipe=transfer needs DS.specTransform=musicnn-MSD: .*set DS.inputNorm=bands or None"
    with pytest.raises(UserError, match=message):
        values_of("recipe=transfer", "DS.inputNorm=log0m1v")
    assert values_of("recipe=transfer", "DS.specTransform=mel")["DS.specTransform"] == "mel"
    # another fault is left to settings.check
    wrong = settings.published()
    wrong["folds"] = 0
    assert values_of("recipe=transfer", parameters=wrong)["DS.specTransform"] == "musicnn-MSD"


def test_published_changes_nothing():
    assert values_of() == dict(settings.flat(settings.published()))
    assert recipes.RECIPES["published"] == {}


def test_what_the_user_has_chosen_stays(capsys):
    arguments = ["recipe=today", "DL.lr=0.01", "DL.num_epochs=7"]
    edited = settings.published()
    edited["DS"]["augment"] = "crop"
    changed = dict(settings.flat(recipes.apply(settings.override(edited, arguments), arguments)))
    assert changed["DL.lr"] == 0.01, "named on the command line, though it is the published value"
    assert changed["DL.num_epochs"] == 7 and changed["DS.augment"] == "crop"
    assert changed["DL.update"] == "adam" and changed["recipe"] == "today"
    told = capsys.readouterr().out
    assert "recipe=today: DL.update = 'adam' (was 'nesterov_momentum')" in told
    assert "recipe=today: DL.lr" not in told and "recipe=today: DS.augment" not in told


def test_a_recipe_may_stand_in_run_py(parameters):
    edited = settings.published()
    edited["recipe"] = "today"
    assert values_of(parameters=edited)["DL.schedule"] == "cosine"


@pytest.mark.parametrize("arguments, held, line", [
    (["folds=1"], ["stratified"], "stratified=False stays, as otherwise folds=1 is"),
    (["DL.momentum=0.9"], ["DL.update"], "DL.update=nesterov_momentum stays, as otherwise DL.mom"),
    (["randomTry=2"], ["validation"], "validation=published stays, as otherwise validation=0"),
    (["randomTry=2", "folds=1", "DL.momentum=0.5"], ["stratified", "validation", "DL.update"],
     "stratified=False stays"),
    (["folds=2"], [], None),
])
def test_it_gives_way_to_what_the_user_has_chosen_in_one_line(capsys, arguments, held, line):
    given = ["recipe=today", *arguments]
    changed = recipes.apply(settings.override(settings.published(), given, tell=str), given)
    settings.check(changed)
    values, published = (dict(settings.flat(each)) for each in (changed, settings.published()))
    for key, value in recipes.RECIPES["today"].items():
        assert values[key] == (published[key] if key in held else value)
    told = [each for each in capsys.readouterr().out.splitlines() if "gives way" in each]
    assert len(told) == len(held) and (line is None or f"recipe=today gives way: {line}" in told[0])
    assert not any(f"{key} = " in each for key in held for each in told)


def test_it_does_not_give_way_for_what_the_user_has_got_wrong():
    for wrong in (["folds=1", "stratified=True"], ["trainSplit=0.9", "testSplit=0.9", "folds=1"]):
        with pytest.raises(UserError):
            settings.check(recipes.apply(settings.override(
                settings.published(), ["recipe=today", *wrong], tell=str), wrong))


def test_it_gives_way_to_the_songs_and_in_a_sweep(parameters, capsys):
    def attempt(changed):
        tried.append(changed["stratified"])
        if changed["stratified"] or changed["folds"] == 9:
            raise UserError("no tag has more than 3 songs")
    tried, today = [], parameters("recipe=today", "stratified=True", "DL.batchSize=16")
    capsys.readouterr()
    assert recipes.give_way(today, attempt)["stratified"] is False
    assert capsys.readouterr().out == ("recipe=today gives way: stratified=False stays, as "
                                       "otherwise no tag has more than 3 songs\n")
    settled = recipes.give_way(today, lambda changed: None, ["folds=1"])
    assert (settled["folds"], settled["stratified"], settled["DL"]["batchSize"]) == (1, False, 16)
    with pytest.raises(UserError, match="no tag has more"):
        recipes.give_way(today, attempt, ["folds=9"])
    with pytest.raises(UserError, match="no tag has more"):
        recipes.give_way(parameters("stratified=True"), attempt)


def test_an_unknown_recipe_is_refused():
    edited = settings.published()
    edited["recipe"] = "tomorrow"
    with pytest.raises(UserError, match="recipe=tomorrow is not allowed: expected one of 'publ"):
        recipes.apply(edited)


def test_a_sweep_takes_no_recipes():
    with pytest.raises(UserError, match="is not understood at 'recipe=published,today'"):
        sweep.combinations("recipe=published,today DL.type=oNetOne")


def test_the_help_says_what_it_stands_for(capsys):
    run.main(["--help"])
    told = capsys.readouterr().out
    assert "recipe=today: " in told
    for key, value in recipes.RECIPES["today"].items():
        assert f"{key}={value}" in told.partition("recipe=today: ")[2]


def test_run_applies_it(monkeypatch, capsys):
    class Stop(Exception):
        pass

    def stop():
        raise Stop
    monkeypatch.setattr(run, "start_theano", stop)
    with pytest.raises(Stop):
        run.main(["recipe=today"])
    assert "recipe=today: DS.augment" in capsys.readouterr().out
