"""The calls that a piece of source makes through macros, all alternatives of the macros together.

Joins the three steps: which names need expansion at all (bearing), their expansion (expand), and the calls in what
comes out (calls). Equal texts are answered once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kread.parse.bearing import Bearing
from kread.parse.calls import ExpandedCall, calls
from kread.parse.expand import Expander
from kread.parse.template import Macro


class MacroCalls:
    """Answers with the macros that `lookup` gives. `compatible`: see Expander."""

    def __init__(
        self,
        lookup: Callable[[str], Sequence[Macro]],
        *,
        compatible: Callable[[tuple[str, ...]], bool] | None = None,
    ) -> None:
        self._bearing = Bearing(lookup)
        self._expander = Expander(lookup, skip=self._bearing.skippable, compatible=compatible)
        self._memo: dict[str, tuple[ExpandedCall, ...]] = {}

    @property
    def cut(self) -> dict[str, int]:
        """The texts of which a part was left out because a limit was hit, with how many."""
        return self._expander.cut

    def bears(self, name: str) -> bool:
        """Whether a use of this name can make a call that its text does not show."""
        return self._bearing.bears(name)

    def calls(self, text: str) -> tuple[ExpandedCall, ...]:
        """The calls in a text and in the macros it uses, each once for each condition it stands under."""
        found = self._memo.get(text)
        if found is None:
            distinct = {
                call: None
                for expansion in self._expander.expansions(text)
                for call in calls(expansion.tokens, ignore=self._bearing.skippable)
            }
            found = self._memo[text] = tuple(distinct)
        return found
