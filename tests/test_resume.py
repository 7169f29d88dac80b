"""Real processes, killed at random instants and resumed: nothing may be lost, nothing may differ.

MIRDL_TORTURE=1 runs the long form (200 kills; `make torture`).
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
from conftest import ROOT, link
from distributed import LocalCluster
from tqdm import tqdm

import dl
from mirdl.errors import UserError
from mirdl.results import files
from mirdl.system.locks import locked
from mirdl.training import architectures, checkpoint, sweep

UNFINISHED = ".checkpoint", ".state", ".lock", ".part"
LONG = bool(os.environ.get("MIRDL_TORTURE"))
KILLS = 200 if LONG else 20
RUN = ("DS.dataset=Beats", "DL.type=oNetOne", "DS.xInput=100", "chunkHop=20", "folds=3", "DL.batchSize=10", "DL.num_epochs=40",
       "DL.momentum=0.9")


@pytest.fixture
def here(beats, workplace):
    link(beats, workplace)
    return workplace


class start:
    """A process of run.py, with the processes that it starts; what it prints goes to a file, so that nothing waits for them."""

    def __init__(self, *arguments):
        self.log = open("log.txt", "w+")
        self.process = subprocess.Popen([sys.executable, os.path.join(ROOT, "run.py"), *arguments], start_new_session=True,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        self.send_signal = self.process.send_signal

    def communicate(self, timeout):
        self.process.wait(timeout)
        with self.log:
            self.log.seek(0)
            return self.log.read(), None

    @property
    def returncode(self):
        return self.process.returncode

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def until(self, condition, what, seconds=100):
        """Wait for `condition`; what it came to. Neither the process's end nor `seconds` may come first."""
        end = time.monotonic() + seconds
        while not (met := condition()):
            if self.process.poll() is not None or time.monotonic() > end:
                ended = self.process.poll() is not None
                if not ended:
                    self.kill()
                self.log = open("log.txt")
                raise AssertionError(f"{'ended' if ended else 'killed'} before {what}:\n{self.communicate(10)[0]}")
            time.sleep(0.02)
        return met


def left():
    """The files in data/results, by their names without the run's id."""
    found = {}
    for name in os.listdir("data/results"):
        with open(os.path.join("data/results", name), "rb") as file:
            found[withoutId(name.encode())] = withoutId(re.sub(rb'"seconds": [0-9.]+', b"", file.read()))
    return found


def withoutId(content):
    return re.sub(rb"\d{8}-\d{6}-[0-9a-f]{8}", b"ID", content)


@pytest.fixture(scope="module")
def undisturbed(beats, tmp_path_factory):
    """The files of a run that nothing happened to, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for name in ("datasets", "results"):
        (folder / "data" / name).mkdir(parents=True)
    link(beats, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        begin = time.time()
        process = start(*RUN)
        out, _ = process.communicate(timeout=600)
        assert process.returncode == 0, out
        return left(), time.time() - begin


def test_killed_at_random_instants_every_file_is_the_same_to_the_bit(here, undisturbed, record_property, capsys):
    expected, seconds = undisturbed
    rng, kills, ends, output = random.Random(5), 0, 0, ""
    with capsys.disabled(), tqdm(total=KILLS, unit="kill", disable=not LONG) as progress:
        while kills < KILLS or not ends:
            stopped = any(name.endswith(".checkpoint") for name in os.listdir("data/results"))
            process = start("resume=last") if stopped else start(*RUN)
            try:
                output, _ = process.communicate(timeout=rng.uniform(0, seconds) if kills < KILLS else 600)
                assert process.returncode == 0, output
                assert left() == expected, "a run that was killed and resumed differs"
                ends += 1
                for name in os.listdir("data/results"):
                    os.unlink(os.path.join("data/results", name))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                progress.update()
    record_property("count", f"{kills} kills survived, {ends} runs ended with equal files")


def test_killed_while_it_removes_its_states_nothing_is_trained_again(here, monkeypatch, parameters):
    settled = parameters(*RUN[:-2], "DL.num_epochs=2")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "forget", lambda run, names: None)
        outcomes = dl.main(settled)
    for name in os.listdir("data/results"):
        if name.endswith("-f0.state"):
            os.unlink(os.path.join("data/results", name))
    before = {name: os.stat(f"data/results/{name}").st_mtime_ns for name in os.listdir("data/results") if not name.endswith(UNFINISHED)}
    assert dl.resume("last", settled) == outcomes
    assert before == {name: os.stat(f"data/results/{name}").st_mtime_ns for name in os.listdir("data/results")}


def test_a_run_does_not_go_on_with_another_network(here, monkeypatch, parameters):
    settled = parameters(*RUN[:-2], "DL.num_epochs=2")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dl.Trainer, "train", lambda trainer, this: signal.raise_signal(signal.SIGINT))
        dl.main(settled)
    with monkeypatch.context() as patch, pytest.raises(UserError, match="the network oNetOne of buildArchitecture.py has changed since the run"):
        patch.setattr(architectures, "source_hash", lambda name, module: "another")
        dl.resume("last", settled)
    assert len(dl.resume("last", settled)) == 3


def test_the_last_one_is_what_was_worked_on_last_but_is_not_under_way(workplace):
    def put(name, age):
        path = files.path_of(name, "")
        open(path, "w").close()
        os.utime(path, (time.time() - age,) * 2)
    for name, age in (("A_x_1.checkpoint", 30), ("A_x_1-f0.state", 5), ("A_x_2.checkpoint", 10), ("A_x_3.checkpoint", 1)):
        put(name, age)
    assert list(checkpoint.stopped()) == ["A_x_2", "A_x_1", "A_x_3"]
    with locked("data/results/A_x_3.lock", None):
        assert list(checkpoint.stopped()) == ["A_x_3", "A_x_2", "A_x_1"]
        put("Sweep_4.sweep", 3)
        assert sweep.find("last") == "4", "between two of its runs it has no other file"
    assert sweep.find("4") == "4" and sweep.find("5") is None


def test_ctrl_c_ends_cleanly_with_the_line_that_resumes(here):
    process = start(*RUN)
    waitForCheckpoint(process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 130
    [id] = re.findall(r"stopped by Ctrl-C; go on with: python run.py resume=(\S+)", out)
    assert "Traceback" not in out
    process = start(f"resume={id}")
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and "[CV-MAJORITYVOTE]" in out
    assert not [name for name in os.listdir("data/results") if name.endswith(UNFINISHED)]


def workersOf(process):
    """The processes that work for `process`."""
    return childrenWith("popen_loky_posix", process.process.pid)


def childrenWith(words, *parents):
    """The living children of these processes with `words` in their command lines."""
    found = []
    for parent in parents:
        for child in psutil.Process(parent).children():
            with suppress(psutil.NoSuchProcess):        # or a zombie
                if words in " ".join(child.cmdline()):
                    found.append(child)
    return found


def killWorkers(process):
    for child in workersOf(process):
        with suppress(psutil.NoSuchProcess):
            child.kill()


def test_with_workers_killed_alone_and_with_all_others_every_file_is_the_same_to_the_bit(here, undisturbed):
    expected, _ = undisturbed
    process = start(*RUN, "workers=2")
    waitForCheckpoint(process)
    killed = workersOf(process)
    killWorkers(process)                # while both train: both are replaced
    process.until(lambda: len(set(workersOf(process)) - set(killed)) == 2, "both workers were replaced")
    process.kill()
    process = start("resume=last", "workers=2")
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and re.search(r"going on with \S+: [0-2] of 3 trainings are done", out), out
    assert left() == expected


def test_a_fold_that_ends_its_workers_is_told_and_resumed(here, undisturbed):
    expected, _ = undisturbed
    process = start(*RUN, "workers=2")
    process.until(lambda: fileOf(".checkpoint"), "the run was begun")   # not those that compute spectrograms
    while process.process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            killWorkers(process)
        time.sleep(0.1)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 1 and "Traceback" not in out
    [id] = re.findall(r"error: fold [12] of 3 was given up: 3 processes .* then go on with: python run.py resume=(\S+)", out)
    process = start(f"resume={id}")
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0, out
    assert left() == expected


def test_ctrl_c_ends_the_workers_too(here):
    process = start(*RUN, "workers=2")
    waitForCheckpoint(process)
    workers = workersOf(process)
    os.killpg(process.process.pid, signal.SIGINT)       # as a terminal does
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 130 and "go on with: python run.py resume=" in out
    assert "Traceback" not in out and "Warning" not in out, out
    assert len(workers) >= 2 and not any(worker.is_running() for worker in workers)
    assert not [name for name in os.listdir("data/results") if name.endswith((".lock", ".part")) and "-f" not in name]


def test_a_second_process_on_a_run_is_refused_and_other_runs_go_on(here):
    process = start(*RUN)
    name = waitForCheckpoint(process)
    process.send_signal(signal.SIGSTOP)
    try:
        second = start("resume=last")
        out, _ = second.communicate(timeout=100)
        assert second.returncode == 1
        assert f"error: another process is working on the run '{name}'; wait for it, or stop it first" in out
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()


def test_a_sweep_is_stopped_resumed_and_compared(here):
    command = (*RUN[:-2], "DL.num_epochs=12", "sweep=chunkHop=20,30 random_seed=1,2")
    process = start(*command)
    process.until(lambda: fileOf(".json"), "the first of its runs had ended")
    waitForCheckpoint(process)
    done = {name: os.stat(f"data/results/{name}").st_mtime_ns for name in os.listdir("data/results") if name.endswith("-f0.result")}
    process.kill()
    process = start("resume=last", "workers=2")
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and "run 4 of 4: chunkHop=30 random_seed=2" in out
    assert done == {name: os.stat(f"data/results/{name}").st_mtime_ns for name in done}, "what is done is not done again"
    *_, header, first, second, third, fourth = out.rstrip().split("\n")
    assert "majority vote (%)" in header and [line.split()[2] for line in (first, second, third, fourth)] == ["20", "20", "30", "30"]
    assert len([name for name in os.listdir("data/results") if name.endswith(".npz")]) == 12
    assert not [name for name in os.listdir("data/results") if name.endswith((*UNFINISHED, ".sweep"))]


def test_a_run_of_a_sweep_that_diverged_is_not_trained_again(here, monkeypatch, parameters, capsys):
    settled = parameters(*RUN[:-2], "DL.num_epochs=2", "sweep=DL.lr=1e30,0.01")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dl.Trainer, "train", lambda trainer, this, train=dl.Trainer.train:
                      train(trainer, this) if this.parameters["DL"]["lr"] > 1 else signal.raise_signal(signal.SIGINT))
        dl.main(settled)
    assert "no fold could be trained: the loss was not finite" in capsys.readouterr().out
    [outcomes] = dl.resume("last", settled)
    assert len(outcomes) == 3 and "not finite" not in capsys.readouterr().out
    assert not [name for name in os.listdir("data/results") if name.endswith((*UNFINISHED, ".sweep"))]


def test_an_impossible_combination_of_a_sweep_is_told_before_any_work(here, script):
    ended = script("run.py", *RUN, "sweep=DL.type=oNetOne,oNetNine")
    assert ended.returncode == 1 and "oNetNine" in ended.stderr and "Data set" not in ended.stdout
    assert os.listdir("data/results") == []


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, started as from a shell: (scheduler's file, its process, the workers' processes)."""
    file = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": ROOT}

    def dask(*arguments):
        return subprocess.Popen([sys.executable, "-m", "dask", *arguments, "--scheduler-file", file, "--no-dashboard"],
                                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0")
    nannies = [dask("worker", "--nthreads", "1", "--local-directory", tmp_path) for _ in range(2)]
    try:
        yield file, scheduler, nannies
    finally:
        for process in (*nannies, scheduler):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_on_a_cluster_whose_scheduler_is_killed_every_file_is_the_same_to_the_bit(here, undisturbed, cluster):
    expected, _ = undisturbed
    file, scheduler, _ = cluster
    process = start(*RUN, f"cluster={file}")
    waitForCheckpoint(process)
    scheduler.kill()
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 1 and "Traceback" not in out, out
    assert "error: the connection to the Dask scheduler is lost; start it anew; then go on with: python run.py resume=" in out
    process = start("resume=last")
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 0, out
    assert left() == expected


@pytest.fixture
def localCluster(tmp_path):
    """Dask's LocalCluster of two workers."""
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, local_directory=tmp_path) as local:
        yield local


def test_a_whole_run_on_a_cluster_one_worker_killed(here, undisturbed, cluster):
    file, _, nannies = cluster
    runWithAWorkerKilled(file, lambda: childrenWith("spawn_main", *(nanny.pid for nanny in nannies)), undisturbed)


def test_a_whole_run_on_a_local_cluster_one_worker_killed(here, undisturbed, localCluster):
    pids = [nanny.pid for nanny in localCluster.workers.values()]
    runWithAWorkerKilled(localCluster.scheduler_address, lambda: map(psutil.Process, pids), undisturbed)


def runWithAWorkerKilled(address, workers, undisturbed):
    expected, _ = undisturbed
    process = start(*RUN, f"cluster={address}")
    waitForCheckpoint(process)
    killed = next(iter(workers()))
    killed.kill()
    out, _ = process.communicate(timeout=200)
    assert process.returncode == 0 and "2 workers" in out and not killed.is_running(), out
    assert left() == expected


def test_no_cluster_is_told(here, script):
    ended = script("run.py", *RUN, "cluster=tcp://127.0.0.1:9")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "error: cluster=tcp://127.0.0.1:9: no Dask scheduler answers there" in ended.stderr


def waitForCheckpoint(process):
    """The name of the run, once an epoch of it is saved."""
    return process.until(lambda: fileOf(".state"), "an epoch was saved").rpartition("-f")[0]


def fileOf(ending):
    """A file of data/results with this ending, or None."""
    return next((name for name in os.listdir("data/results") if name.endswith(ending)), None)


@pytest.mark.parametrize("arguments, words", [
    (["resume=last"], "there is no stopped run 'last' in data/results; to be resumed there: none"),
    (["resume="], "there is no stopped run '' in data/results; to be resumed there: none"),
    (["resume=123", "folds=3"], "resume=123 goes on with the parameters that the run was begun with; leave out the other arguments"),
])
def test_what_cannot_be_resumed_is_told(here, script, arguments, words):
    ended = script("run.py", *arguments)
    assert ended.returncode == 1 and words in ended.stderr and "Traceback" not in ended.stderr


def test_a_damaged_checkpoint_is_named(here, script):
    with open("data/results/Beats_oNetOne_x.checkpoint", "wb") as file:
        file.write(b"rubbish")
    ended = script("run.py", "resume=x")
    assert ended.returncode == 1
    assert "error: cannot go on from 'data/results/Beats_oNetOne_x.checkpoint'" in ended.stderr


@pytest.mark.skipif(not LONG or os.geteuid() != 0, reason="of the long form; a small disk is mounted, which only root may")
def test_a_full_disk_at_a_random_instant_loses_nothing(here, undisturbed):
    expected, seconds = undisturbed
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", "data/results"], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    rng, full = random.Random(6), 0
    try:
        while True:
            stopped = any(name.endswith(".checkpoint") for name in os.listdir("data/results"))
            process = start("resume=last") if stopped else start(*RUN)
            try:
                out, _ = process.communicate(timeout=rng.uniform(seconds / 3, seconds) if full < KILLS // 5 else 600)
            except subprocess.TimeoutExpired:
                fill("data/results/filler")
                out, _ = process.communicate(timeout=600)
                os.unlink("data/results/filler")
            if process.returncode == 0:
                break
            assert process.returncode == 1 and "No space left on device" in out and "Traceback" not in out, out
            assert not [name for name in os.listdir("data/results") if name.endswith(".part")]
            full += 1
        assert left() == expected
    finally:
        subprocess.run(["umount", "-l", "data/results"], check=True)


def fill(path):
    """Take all the space that is left on the disk of `path`."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
