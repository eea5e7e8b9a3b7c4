"""Work in processes beside this one: in order, told what went wrong, and never waited for in vain."""

from __future__ import annotations

import os
import signal

import pytest

from kread.index.workers import Beside


def _task(shared: int, item: int) -> bytes:
    if item < 0:
        raise ValueError(f"item {item}")
    if item == 99:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{shared + item} {os.getpid()}".encode()


@pytest.mark.parametrize("forking", [True, False])
def test_results_come_in_the_order_of_the_items(forking: bool) -> None:
    beside = Beside(_task, 10, range(20), forking)
    found = [result.split() for result in beside.results()]
    beside.close()
    assert [int(number) for number, _ in found] == list(range(10, 30))
    assert (str(os.getpid()).encode() in {process for _, process in found}) is not forking


def test_what_goes_wrong_is_told() -> None:
    beside = Beside(_task, 0, [1, -5, 2])
    results = beside.results()
    assert next(results).startswith(b"1 ")
    with pytest.raises(RuntimeError, match="ValueError: item -5"):
        next(results)
    beside.close()


def test_a_process_that_is_killed_is_not_waited_for() -> None:
    beside = Beside(_task, 0, [99, 1])
    with pytest.raises(RuntimeError, match="before its time"):
        list(beside.results())
    beside.close()


def test_what_is_not_asked_for_is_ended() -> None:
    beside = Beside(_task, 0, range(5))
    processes = [process.pid for process in beside._processes]
    beside.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
