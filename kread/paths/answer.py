"""What `kread path` found, whole: the trails of a question, and what was left out of them.

Theory of operation: the search fills an Answer and every renderer reads one, so that the terminal, JSON, the page and
the notes say the same. Trails stand in the order in which they are shown, one a family; `others` are families that
were found and are only named. `cut` holds one sentence for each limit that was hit: an answer with none, and no
others, is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kread.facts import Trail

if TYPE_CHECKING:
    from kread.paths.across import Crossing


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to "how does control get from `caller` to `callee`?".

    release  -- its tag, e.g. "v6.12.117"
    caller   -- as it was asked, and so is `callee`
    trails   -- one for each family shown, the most instructive first; empty where there is no path
    complete -- nothing was left out: every family is shown and no limit was hit
    cut      -- a sentence for each thing that was left out, and why
    others   -- families that were found and are named only
    notes    -- a sentence for each thing the reader should know about the ends (made by a macro, compiled out, ...)
    crossings -- where no call leads there: the hand-overs that do
    """

    release: str
    caller: str
    callee: str
    trails: tuple[Trail, ...]
    complete: bool = True
    cut: tuple[str, ...] = ()
    others: tuple[Trail, ...] = ()
    notes: tuple[str, ...] = ()
    crossings: tuple[Crossing, ...] = ()

    def __str__(self) -> str:
        return "\n".join(str(trail) for trail in self.trails)
