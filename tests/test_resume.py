"""Real processes, killed and resumed: nothing may be lost, nothing may differ.

MIRDL_TORTURE=1 runs the long form (200 kills; `make torture`).
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, as_published, check_order, small, without_libraries
from distributed import LocalCluster
from tqdm import tqdm

import dl
import run
from mirdl.errors import UserError
from mirdl.networks import architectures
from mirdl.results import files
from mirdl.system.locks import locked
from mirdl.training import checkpoint, runs, sweep

pytestmark = [pytest.mark.xdist_group("serial"),    # but for "runs", so that CI takes less time
              pytest.mark.usefixtures("all_pieced")]

UNFINISHED = ".checkpoint", ".state", ".lock", ".part"
LONG = bool(os.environ.get("MIRDL_TORTURE"))
KILLS = 200 if LONG else 3
RUN = small("DS.xInput=100", "chunkHop=20", "DL.batchSize=10", "DL.num_epochs=40",
            "DL.momentum=0.9")
TINY = small("DL.type=tiny", "DL.num_epochs=2", "DL.momentum=0.9")     # in this process


class Process:
    """A process of run.py, in a group with the processes that it starts.

    What they print goes to a file, so that nothing waits for them.
    """

    def __init__(self, *arguments):
        self.log = Path.cwd() / f"{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.popen = subprocess.Popen(
                [sys.executable, os.path.join(ROOT, "run.py"), *as_published(*arguments)],
                start_new_session=True, stdout=log, stderr=subprocess.STDOUT)
        self.pid, self.send_signal = self.popen.pid, self.popen.send_signal

    @property
    def returncode(self):
        """The exit status, None while it runs."""
        return self.popen.poll()

    def wait(self, seconds=600):
        """Wait for its end; return what it printed."""
        self.popen.wait(seconds)
        return without_libraries(self.log.read_text())

    def kill(self):
        """Kill it and all that it started."""
        os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()

    def until(self, condition, what, seconds=300):
        """Wait until `condition` is true and return it.

        Fail if the process ends before, or after `seconds`.
        """
        latest = time.monotonic() + seconds
        while not (met := condition()):
            ended = self.returncode is not None
            if ended or time.monotonic() > latest:
                if not ended:
                    self.kill()
                pytest.fail(f"{'ended' if ended else 'killed'} before {what}:\n{self.wait()}")
            time.sleep(0.02)
        return met

    def until_saved(self):
        """Wait until an epoch is saved; return the name of the run."""
        return self.until(partial(file_of, ".state"), "an epoch was saved").rpartition("-f")[0]

    def workers(self):
        """List the processes that work for it."""
        return children_with("popen_loky_posix", self.pid)

    def kill_workers(self):
        """Kill them."""
        for worker in self.workers():
            with suppress(psutil.NoSuchProcess):
                worker.kill()


def results():
    return sorted(os.listdir("data/results"))


def file_of(ending):
    """Return a file of data/results with this ending, or None."""
    return next((name for name in results() if name.endswith(ending)), None)


def is_trained(fold, epochs):
    """Tell whether so many epochs of a fold are done, and a state of it is saved."""
    saved = file_of(f"-f{fold}.state")
    return saved and files.count_epochs(saved.removesuffix(".state")) >= epochs


def unfinished():
    return [name for name in results() if name.endswith((*UNFINISHED, ".sweep"))]


def times(names):
    """Map each file of data/results to when it was written."""
    return {name: os.stat(f"data/results/{name}").st_mtime_ns for name in names}


def left():
    """Map the files of data/results, by their names without the run's id, to what they hold."""
    found = {}
    for name in results():
        with open(os.path.join("data/results", name), "rb") as file:
            content = re.sub(rb'"seconds": [0-9.]+', b"", file.read())
        found[without_id(name.encode())] = without_id(content)
    return found


def without_id(content):
    return re.sub(rb"\d{8}-\d{6}-[0-9a-f]{8}", b"ID", content)


def children_with(words, *parents):
    """List the living children of these processes with `words` in their command lines."""
    found = []
    for parent in parents:
        for child in psutil.Process(parent).children():
            with suppress(psutil.NoSuchProcess):        # or a zombie
                if words in " ".join(child.cmdline()):
                    found.append(child)
    return found


@pytest.fixture(scope="module")
def undisturbed(furnish, tmp_path_factory):
    """Return the files of a run that nothing happened to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(furnish(tmp_path_factory.mktemp("undisturbed")))
        run.main(list(as_published(*RUN)))
        return left()


@pytest.mark.slow
def test_killed_in_each_fold_every_file_is_the_same_to_the_bit(here, undisturbed, parameters,
                                                               record_property):
    for fold, epochs in enumerate((1, 10, 20)):
        process = Process("resume=last") if fold else Process(*RUN)
        process.until(partial(is_trained, fold, epochs), f"epoch {epochs} of fold {fold}")
        process.kill()
    dl.resume("last", parameters())
    assert left() == undisturbed
    record_property("count", "3 kills survived, 1 run ended with equal files")


@pytest.mark.xdist_group("runs")
@pytest.mark.slow
@pytest.mark.parametrize("network, workers", [
    ("vgg", 1), ("oNetOne", 2)])    # how XLA adds up vgg's convolutions depends on its threads
def test_an_augmented_training_is_resumed_to_the_bit(here, network, workers):
    today = small(f"DL.type={network}", "recipe=today", "DS.xInput=60", "chunkHop=20", "folds=2",
                  "DL.num_epochs=6", "DS.augment=crop+stretch+gain+mask+mixup")
    Process(*today).wait()
    undisturbed = left()
    assert len([name for name in undisturbed if name.endswith(b".npz")]) == 2
    clear_results()
    process = Process(*today)
    process.until(partial(is_trained, 0, 2), "epoch 2 of fold 1")
    process.kill()
    Process("resume=last", f"workers={workers}").wait()
    assert left() == undisturbed


@pytest.mark.slow
def test_killed_at_random_instants_every_file_is_the_same_to_the_bit(here, undisturbed,
                                                                     record_property, capsys):
    shutil.rmtree("data/preloaded")
    begin, process = time.time(), Process(*RUN)
    assert "[CV-MAJORITYVOTE]" in process.wait() and left() == undisturbed
    seconds, rng, kills, ends = time.time() - begin, random.Random(5), 0, 1
    clear_results()
    with capsys.disabled(), tqdm(total=KILLS, unit="kill", disable=not LONG) as progress:
        while kills < KILLS or file_of(".checkpoint") or ends == 1:
            process = Process("resume=last") if file_of(".checkpoint") else Process(*RUN)
            try:
                out = process.wait(rng.uniform(0, seconds) if kills < KILLS else 600)
                assert process.returncode == 0, out
                assert left() == undisturbed, "a run that was killed and resumed differs"
                ends += 1
                clear_results()
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                progress.update()
    record_property("count", f"{kills} kills survived, {ends} runs ended with equal files")


def clear_results():
    for name in results():
        os.unlink(os.path.join("data/results", name))


def interrupt(*_):
    signal.raise_signal(signal.SIGINT)


def test_killed_while_it_removes_its_states_nothing_is_trained_again(here, tiny, monkeypatch,
                                                                     parameters):
    settled = parameters(*TINY)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "forget", lambda run, trials: None)
        outcomes = dl.main(settled)
    os.unlink(os.path.join("data/results", file_of("-f0.state")))
    before = times(name for name in results() if not name.endswith(UNFINISHED))
    assert dl.resume("last", settled) == outcomes
    assert before == times(results())


def test_a_power_cut_loses_nothing(here, tiny, monkeypatch, parameters, journal):
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)       # saved after each epoch
    name = dl.main(parameters(*TINY))[0].name
    folder = os.path.abspath("data/results")

    def path(ending, name=name):
        return os.path.join(folder, name + ending)
    safe, run = ("synced", folder), name.removesuffix("-f0")
    check_order(journal, [
        ("renamed", path(".checkpoint", run)), safe, ("renamed", path(".npz")), safe,
        ("renamed", path(".state")), safe, ("renamed", path(".state")), safe,
        ("renamed", path(".result")), safe, ("renamed", path(".state")), safe,
        ("renamed", path(".json", files.cross_validation(run))), safe,
        ("removed", path(".state")), ("removed", path(".checkpoint", run))])
    assert journal.count(("renamed", path(".state"))) == 3, "after two epochs, and at the end"


def test_a_run_does_not_go_on_with_another_network(here, tiny, monkeypatch, parameters):
    settled = parameters(*TINY)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dl, "trainTrial", interrupt)
        dl.main(settled)
    message = "tiny .*buildArchitecture.py.*new run"
    with monkeypatch.context() as patch, pytest.raises(UserError, match=message):
        patch.setattr(architectures, "source_hash", lambda name, module: "another")
        dl.resume("last", settled)
    assert len(dl.resume("last", settled)) == 3


def test_the_last_one_is_what_was_worked_on_last_but_is_not_under_way(workplace):
    def put(name, age):
        path = files.path_of(name, "")
        open(path, "w").close()
        os.utime(path, (time.time() - age,) * 2)
    for name, age in (("A_x_1.checkpoint", 30), ("A_x_1-f0.state", 5), ("A_x_2.checkpoint", 10),
                      ("A_x_3.checkpoint", 1)):
        put(name, age)
    assert list(runs.stopped()) == ["A_x_2", "A_x_1", "A_x_3"]
    with locked("data/results/A_x_3.lock", None):
        assert list(runs.stopped()) == ["A_x_3", "A_x_2", "A_x_1"]
        put("Sweep_4.sweep", 3)
        assert sweep.find("last") == "4", "between two of its runs it has no other file"
    assert sweep.find("4") == "4" and sweep.find("5") is None


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_with_the_line_that_resumes(here, undisturbed):
    process = Process(*RUN)
    process.until_saved()
    process.send_signal(signal.SIGINT)
    out = process.wait(300)
    assert process.returncode == 130 and "Traceback" not in out
    [run_id] = re.findall(r"Ctrl-C.* python run.py resume=(\S+)", out)
    process = Process(f"resume={run_id}")
    assert "[CV-MAJORITYVOTE]" in process.wait() and process.returncode == 0
    assert left() == undisturbed and not unfinished()


@pytest.mark.slow
def test_workers_killed_alone_and_with_all_others_every_file_is_the_same_to_the_bit(
        here, undisturbed):
    process = Process(*RUN, "workers=2")
    process.until_saved()
    killed = process.workers()
    process.kill_workers()              # while both train: both are replaced
    process.until(lambda: len(set(process.workers()) - set(killed)) == 2,
                  "both workers were replaced")
    process.kill()
    resumed = Process("resume=last", "workers=2")
    out = resumed.wait()
    assert resumed.returncode == 0, out
    assert re.search("[0-2] of 3 trainings", out), out
    assert left() == undisturbed


@pytest.mark.slow
def test_a_fold_that_ends_its_workers_is_told_and_resumed(here, undisturbed):
    process = Process(*RUN, "workers=2")
    # the workers of its folds, not those that compute spectrograms
    process.until(partial(file_of, ".checkpoint"), "the run was begun")
    while process.returncode is None:
        with suppress(psutil.NoSuchProcess):
            process.kill_workers()
        time.sleep(0.1)
    out = process.wait(300)
    assert process.returncode == 1 and "Traceback" not in out
    [run_id] = re.findall(r"error: fold [12] of 3 .*3 processes .* python run.py resume=(\S+)", out)
    process = Process(f"resume={run_id}")
    out = process.wait()
    assert process.returncode == 0, out
    assert left() == undisturbed


@pytest.mark.xdist_group("runs")
@pytest.mark.slow
def test_ctrl_c_ends_the_workers_too(here):
    process = Process(*RUN, "workers=2")
    process.until_saved()
    workers = process.workers()
    os.killpg(process.pid, signal.SIGINT)       # as a terminal does
    out = process.wait(300)
    assert process.returncode == 130 and "python run.py resume=" in out
    assert "Traceback" not in out and "Warning" not in out, out
    assert len(workers) >= 2 and not any(worker.is_running() for worker in workers)
    assert not [name for name in results()
                if name.endswith((".lock", ".part")) and "-f" not in name]


@pytest.mark.xdist_group("runs")
@pytest.mark.slow
def test_a_second_process_on_a_run_is_refused(here):
    process = Process(*RUN)
    name = process.until_saved()
    process.send_signal(signal.SIGSTOP)
    try:
        second = Process("resume=last")
        out = second.wait(300)
        assert second.returncode == 1
        assert re.search(f"error: another process.*'{name}'.*wait.*stop", out), out
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()


@pytest.mark.xdist_group("runs")
@pytest.mark.slow
def test_a_sweep_is_stopped_resumed_and_compared(here):
    process = Process(*RUN, "folds=2", "DL.num_epochs=12", "sweep=chunkHop=20,30 random_seed=1,2")
    process.until(partial(file_of, ".json"), "the first of its runs had ended")
    process.until_saved()
    done = times(name for name in results() if name.endswith("-f0.result"))
    process.kill()
    process = Process("resume=last", "workers=2")
    out = process.wait()
    assert process.returncode == 0 and "run 4 of 4: chunkHop=30 random_seed=2" in out
    assert done == times(done), "what is done is not done again"
    *_, header, first, second, third, fourth = out.rstrip().split("\n")
    swept = [line.split()[1:3] for line in (first, second, third, fourth)]
    assert header.split()[1:3] == ["chunkHop", "random_seed"] and "majority vote (%)" in header
    assert swept == [["20", "1"], ["20", "2"], ["30", "1"], ["30", "2"]]
    assert len([name for name in results() if name.endswith(".npz")]) == 8
    assert not unfinished()


def test_a_run_of_a_sweep_that_diverged_is_not_trained_again(here, tiny, monkeypatch, parameters,
                                                             capsys):
    settled = parameters(*TINY, "sweep=DL.lr=1e30,0.01")
    train = dl.trainTrial

    def interrupt_the_second(trial, *rest):
        return (train if trial.parameters["DL"]["lr"] > 1 else interrupt)(trial, *rest)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dl, "trainTrial", interrupt_the_second)
        dl.main(settled)
    assert "not finite" in capsys.readouterr().out
    [outcomes] = dl.resume("last", settled)
    assert len(outcomes) == 3 and "not finite" not in capsys.readouterr().out
    assert not unfinished()


def test_an_impossible_combination_of_a_sweep_is_told_before_any_work(here, parameters, capsys):
    with pytest.raises(UserError, match="oNetNine"):
        dl.main(parameters(*RUN, "sweep=DL.type=oNetOne,oNetNine"))
    assert "Data set" not in capsys.readouterr().out and results() == []


@pytest.fixture
def cluster(tmp_path):
    """Start a Dask scheduler and two workers, as from a shell.

    Yields the scheduler's file, its process and the workers' processes.
    """
    file = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": ROOT}

    def dask(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--scheduler-file", file, "--no-dashboard"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0")
    nannies = [dask("worker", "--nthreads", "1", "--local-directory", tmp_path) for _ in range(2)]
    try:
        yield file, scheduler, nannies
    finally:
        for process in (*nannies, scheduler):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
def test_on_a_cluster_whose_scheduler_is_killed_every_file_is_the_same_to_the_bit(
        here, undisturbed, cluster):
    file, scheduler, _ = cluster
    process = Process(*RUN, f"cluster={file}")
    process.until_saved()
    scheduler.kill()
    out = process.wait(200)
    assert process.returncode == 1 and "Traceback" not in out, out
    assert re.search("error: .*Dask scheduler.*start it.* python run.py resume=", out), out
    process = Process("resume=last")
    out = process.wait(200)
    assert process.returncode == 0, out
    assert left() == undisturbed


@pytest.fixture
def local_cluster(tmp_path):
    """Start Dask's LocalCluster of two workers."""
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
                      local_directory=tmp_path) as started:
        yield started


@pytest.mark.slow
def test_a_whole_run_on_a_cluster_one_worker_killed(here, undisturbed, cluster):
    file, _, nannies = cluster
    pids = [nanny.pid for nanny in nannies]
    run_with_a_worker_killed(file, lambda: children_with("spawn_main", *pids))
    assert left() == undisturbed


@pytest.mark.slow
def test_a_whole_run_on_a_local_cluster_one_worker_killed(here, undisturbed, local_cluster):
    pids = [nanny.pid for nanny in local_cluster.workers.values()]
    run_with_a_worker_killed(local_cluster.scheduler_address, lambda: map(psutil.Process, pids))
    assert left() == undisturbed


def run_with_a_worker_killed(address, workers):
    process = Process(*RUN, f"cluster={address}")
    process.until_saved()
    killed = next(iter(workers()))
    killed.kill()
    out = process.wait(200)
    assert process.returncode == 0 and "2 workers" in out and not killed.is_running(), out


@pytest.mark.slow
def test_no_cluster_is_told(here, script):
    ended = script("run.py", *RUN, "cluster=tcp://127.0.0.1:9")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert re.search("error: cluster=tcp://127.0.0.1:9: .*no Dask scheduler", ended.stderr)


@pytest.mark.parametrize("arguments, words", [
    (["resume=last"], "'last'.*data/results.*none"),
    (["resume="], "''.*data/results.*none"),
    (["resume=123", "folds=3"], "resume=123 .*leave out the other arguments"),
])
def test_what_cannot_be_resumed_is_told(workplace, arguments, words):
    with pytest.raises(UserError, match=words):
        run.main(list(as_published(*arguments)))


def test_a_damaged_checkpoint_is_named(workplace, parameters):
    with open("data/results/Beats_oNetOne_x.checkpoint", "wb") as file:
        file.write(b"rubbish")
    with pytest.raises(UserError, match="'data/results/Beats_oNetOne_x.checkpoint'"):
        dl.resume("x", parameters())


@pytest.mark.slow
@pytest.mark.skipif(not LONG or os.geteuid() != 0,
                    reason="of the long form; a small disk is mounted, which only root may")
def test_a_full_disk_at_a_random_instant_loses_nothing(here, undisturbed):
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", "data/results"]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    rng, full = random.Random(6), 0
    try:
        begin, process = time.time(), Process(*RUN)
        assert "[CV-MAJORITYVOTE]" in process.wait()
        seconds = time.time() - begin
        clear_results()
        while True:
            process = Process("resume=last") if file_of(".checkpoint") else Process(*RUN)
            try:
                limit = rng.uniform(seconds / 3, seconds) if full < KILLS // 4 else 600
                out = process.wait(limit)
            except subprocess.TimeoutExpired:
                fill("data/results/filler")
                out = process.wait()
                os.unlink("data/results/filler")
            if process.returncode == 0:
                break
            assert process.returncode == 1 and "No space left on device" in out, out
            assert "Traceback" not in out, out
            assert not [name for name in results() if name.endswith(".part")]
            full += 1
        assert left() == undisturbed
    finally:
        subprocess.run(["umount", "-l", "data/results"], check=True)


def fill(path):
    """Take all the space that is left on the disk of `path`."""
    with open(path, "wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
