import os

import pytest

from mirdl.system import memory

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
NONE = "9223372036854771712"        # how version 1 of control groups says that there is no limit
V1 = "4:memory:/docker/abc\n2:cpu,cpuacct:/\n0::/\n"


@pytest.mark.parametrize("groups, limits, expected", [
    ("", {}, MACHINE),
    ("0::/\n", {"memory.max": "3000000"}, 3000000),                                 # a container
    ("0::/\n", {"memory.max": "max"}, MACHINE),
    ("0::/job/step\n", {"job/step/memory.max": "max", "job/memory.max": "2000000"}, 2000000),
    ("0::/a:b\n", {"a:b/memory.max": "2000000"}, 2000000),
    # A container sees its own group at the top.
    (V1, {"memory/memory.limit_in_bytes": "4000000"}, 4000000),
    (V1, {"memory/memory.limit_in_bytes": NONE,
          "memory/docker/abc/memory.limit_in_bytes": "5000000"}, 5000000),
    (V1, {"memory/memory.limit_in_bytes": NONE}, MACHINE),
    (V1, {"memory/docker/other/memory.limit_in_bytes": "1000"}, MACHINE),
])
def test_the_least_limit_of_the_machine_and_the_control_groups(tmp_path, monkeypatch, groups,
                                                                    limits, expected):
    files = {f"sys/fs/cgroup/{path}": text + "\n" for path, text in limits.items()}
    for path, text in {"proc/self/cgroup": groups, **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(memory, "ROOT", tmp_path)
    assert memory.memory() == expected


def test_without_control_groups_it_is_the_machines(tmp_path, monkeypatch):
    assert 0 < memory.memory() <= MACHINE
    monkeypatch.setattr(memory, "ROOT", tmp_path)
    assert memory.memory() == MACHINE
