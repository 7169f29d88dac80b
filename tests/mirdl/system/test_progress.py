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
    assert end.startswith("fold 1: 100%|##########| 3/3 [") and end.endswith("loss 2]") and "\r" not in log.getvalue()


def test_quiet_leaves_bars_out(monkeypatch, capsys):
    before = progress.hush(True)
    try:
        assert list(progress.bar(range(3))) == [0, 1, 2] and capsys.readouterr() == ("", "")
    finally:
        progress.hush(before)
