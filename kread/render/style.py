"""Colour on a terminal, and nothing in a pipe.

Theory of operation: text is given a role ("name", "guard", ...), never a colour; here stands which colour a role has.
Whether there is colour at all the command line decides (NO_COLOR, a terminal); without it every role is the identity,
so that the text is the same bytes everywhere. Only the sixteen colours that every terminal's own theme makes readable
are used.
"""

from __future__ import annotations

from dataclasses import dataclass

#: role -> SGR parameters. No role is told by colour alone: the words beside it say the same.
ROLES = {
    "title": "1",
    "family": "1;35",
    "name": "1;36",
    "place": "2",
    "call": "1",
    "if": "32",
    "not": "33",
    "case": "32",
    "loop": "32",
    "then": "2",
    "held": "34",
    "exit": "2",
    "note": "2",
    "sure": "36",
    "unsure": "1;33",
    "keyword": "35",
    "type": "36",
    "string": "32",
    "number": "33",
    "comment": "2",
    "preproc": "34",
    "mark": "1;32",
    "gone": "31",
    "come": "32",
}


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text by role; `color` False leaves it as it is."""

    color: bool = False

    def paint(self, role: str, text: str) -> str:
        """`text` in the colour of `role`; "" is the plain role."""
        code = ROLES.get(role, "")
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text


PLAIN = Style(False)
