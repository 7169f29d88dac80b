import os
import signal

import pytest
from mirdl.errors import UserError
from mirdl.parallel import inParallel


def test_results_come_in_order_from_other_processes():
    assert list(inParallel(pow, [(base, 2) for base in range(20)], 'squares', 'square')) == [base**2 for base in range(20)]
    assert os.getpid() not in set(inParallel(os.getpid, [()], 'one', 'call'))
    assert list(inParallel(pow, [], 'nothing', 'call')) == []


def test_what_a_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(inParallel(divmod, [(1, 1), (1, 0)], 'divisions', 'division'))


def test_a_process_ended_by_the_system_is_one_clear_error():
    with pytest.raises(UserError, match='a process that worked on the songs was ended by the system, .* then run again'):
        list(inParallel(signal.raise_signal, [(signal.SIGKILL,)], 'songs', 'song'))
    assert list(inParallel(abs, [(-1,)], 'songs', 'song')) == [1], 'and the next call has processes again'
