import io
import sys

from mirdl.system import progress


def test_in_a_log_file_each_state_of_a_bar_is_a_line_among_the_others(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(sys, "stdout", log)
    with progress.bar(range(3), desc="fold 1", unit="epoch") as bar:
        for epoch in bar:
            bar.set_postfix_str(f"loss {epoch}", refresh=False)
            if epoch == 1:
                bar.write("half the learning rate")
    print("done")
    begin, word, end, done = log.getvalue().splitlines()
    assert begin.startswith("fold 1:   0%|") and word == "half the learning rate" and done == "done"
    assert end.startswith("fold 1: 100%|##########| 3/3 [") and end.endswith("loss 2]")
    assert "\r" not in log.getvalue()


def test_quiet_leaves_bars_out(capsys):
    before = progress.set_quiet(True)
    try:
        assert list(progress.bar(range(3))) == [0, 1, 2] and capsys.readouterr() == ("", "")
    finally:
        assert progress.set_quiet(before) is True


def test_one_bar_follows_all_calls_and_prints_above_itself(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_quiet", False)
    states = iter([(4, 1, ""), (4, 2, "fold 1"), (8, 8, "fold 2")])
    with progress.screen(lambda: next(states), ["a call"]) as tell:
        tell("a word\n")
        tell()
    err = capsys.readouterr().err.splitlines()
    assert "training:  25%" in err[0] and "1/4" in err[0]
    assert "training: 100%" in err[-1] and "8/8" in err[-1] and "fold 2" in err[-1]


def test_without_calls_there_is_no_bar(capsys):
    with progress.screen(lambda: (0, 0, ""), []) as tell:
        tell()
    assert capsys.readouterr() == ("", "")
