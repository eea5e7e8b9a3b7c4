"""Work spread over the cores, in processes that share what was prepared before they were forked.

`spread` sets what all tasks need, forks, and hands out items in chunks; results come back in order. `Beside` forks one
process an item and returns at once, so that this process does something else meanwhile. An interrupt reaches the
parent alone: the children ignore it and are ended by the parent, so nobody prints a second traceback.
"""

from __future__ import annotations

import gc
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Fewer items than this are done in this process: forking would cost more than it saves.
WORTH_FORKING = 8

_task: Callable[[Any, Any], Any] | None = None
_shared: Any = None


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _begin() -> None:
    """What a process of the pool does first. What it inherits is no garbage: to look for some there would touch, and
    so copy, all that it shares."""
    _ignore_interrupt()
    gc.freeze()


def _run(item: Any) -> Any:
    assert _task is not None
    return _task(_shared, item)


def spread(task: Callable[[Any, Item], Result], shared: Any, items: Sequence[Item], chunk: int = 8) -> Iterator[Result]:
    """Yield task(shared, item) for each item, in order; `shared` is not copied but inherited."""
    global _task, _shared
    cores = len(os.sched_getaffinity(0))
    if len(items) < WORTH_FORKING or cores < 2:
        for item in items:
            yield task(shared, item)
        return
    _task, _shared = task, shared
    pool = get_context("fork").Pool(cores, _begin)
    try:
        yield from pool.imap(_run, items, chunk)
        pool.close()
    finally:
        pool.terminate()
        pool.join()
        _task = _shared = None


class Beside:
    """task(shared, item) for each item, in processes of their own that are forked now; `results` waits for them.

    As many run at a time as there are cores besides the one of this process, or as `at_once` says. All are forked at
    once, since a process that is forked later would find this one in the midst of something, with locks held; each waits
    for its turn, and ends where this process ends. With `forking` false nothing is forked, and the results are made when
    asked for.
    """

    def __init__(
        self,
        task: Callable[[Any, Item], bytes],
        shared: Any,
        items: Sequence[Item],
        forking: bool = True,
        at_once: int = 0,
    ) -> None:
        self._task, self._shared, self._items = task, shared, items
        self._processes: list[Any] = []
        self._ends: list[Any] = []
        self._ready = [Event() for _ in items]
        self._found: dict[int, tuple[bytes, bytes]] = {}
        self._left: SimpleQueue[int] = SimpleQueue()
        if not forking:
            return
        context = get_context("fork")
        for number, item in enumerate(items):
            ours, theirs = context.Pipe()
            inherited = [*self._ends, ours]
            process = context.Process(target=_one, args=(theirs, inherited, task, shared, item), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._ends.append(ours)
            self._left.put(number)
        for _ in range(at_once or max(1, len(os.sched_getaffinity(0)) - 1)):
            Thread(target=self._supervise, daemon=True).start()

    def _supervise(self) -> None:
        """Give one process after the other its turn, and fetch what it found."""
        with suppress(Empty):
            while True:
                number = self._left.get_nowait()
                end = self._ends[number]
                with suppress(EOFError, OSError):
                    end.send_bytes(_TURN)
                    self._found[number] = end.recv_bytes(), end.recv_bytes()
                self._ready[number].set()

    def results(self) -> Iterator[bytes]:
        """What the task made of each item, in order; RuntimeError where it failed."""
        for number, item in enumerate(self._items):
            if not self._processes:
                yield self._task(self._shared, item)
                continue
            self._ready[number].wait()
            said, found = self._found.pop(number, (_FAILED, b"a process ended before its time"))
            if said == _FAILED:
                raise RuntimeError(found.decode(errors="replace"))
            yield found

    def close(self) -> None:
        """End what still runs."""
        for process in self._processes:
            process.terminate()
        for process, end in zip(self._processes, self._ends, strict=True):
            process.join()
            end.close()


#: What a process is told, and what it says before its result.
_TURN, _DONE, _FAILED = b"t", b"d", b"f"


def _one(end: Any, inherited: Sequence[Any], task: Callable[[Any, Any], bytes], shared: Any, item: Any) -> None:
    _ignore_interrupt()
    for other in inherited:  # while one of these is open, no process would notice that the parent is gone
        other.close()
    with suppress(EOFError, OSError):
        end.recv_bytes()
        try:
            said, found = _DONE, task(shared, item)
        except Exception:  # what went wrong is told by the parent
            said, found = _FAILED, traceback.format_exc().encode()
        end.send_bytes(said)
        end.send_bytes(found)
