"""Work spread over the cores, in processes that share what was prepared before they were forked.

The parent sets what all tasks need, forks, and hands out items in chunks; results come back in order. An interrupt
reaches the parent alone: the children ignore it and are ended by the parent, so nobody prints a second traceback.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Fewer items than this are done in this process: forking would cost more than it saves.
WORTH_FORKING = 8

_task: Callable[[Any, Any], Any] | None = None
_shared: Any = None


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
    pool = get_context("fork").Pool(cores, _ignore_interrupt)
    try:
        yield from pool.imap(_run, items, chunk)
        pool.close()
    finally:
        pool.terminate()
        pool.join()
        _task = _shared = None
