"""Hyperlinks to a line of a release: the file here, the public cross-reference, git web; and OSC 8 for terminals.

Theory of operation: the addresses are patterns in data/links.toml; here they are filled in. On a terminal a link is the
escape sequence OSC 8, which shows the text and hides the address; terminals that don't know it show the text alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kread import data


@cache
def _patterns() -> dict[str, tuple[str, str]]:
    return {row["name"]: (row["title"], row["pattern"]) for row in data.load("links")["link"]}


def osc8(text: str, url: str) -> str:
    """`text` as a terminal hyperlink to `url`."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Links of one release. `root` is the folder of its tree ("" = no copy here)."""

    tag: str
    root: str = ""

    def url(self, kind: str, file: str, line: int) -> str:
        """The address of a line: kind "file", "reference" or "git" ("" for a file that is not here)."""
        if kind == "file" and not self.root:
            return ""
        from urllib.parse import quote

        _, pattern = _patterns()[kind]
        return pattern.format(tag=quote(self.tag), root=quote(self.root).rstrip("/"), file=quote(file), line=line)

    def urls(self, file: str, line: int) -> list[tuple[str, str]]:
        """(title, address) of every place on the web where a line can be read."""
        return [(title, self.url(name, file, line)) for name, (title, _) in _patterns().items() if name != "file"]

    def to_file(self, text: str, file: str, line: int) -> str:
        """A terminal link to the file here, or to the cross-reference where it is not here."""
        return osc8(text, self.url("file" if self.root else "reference", file, line))

    def to_reference(self, text: str, file: str, line: int) -> str:
        """A terminal link to the release's page on the public cross-reference."""
        return osc8(text, self.url("reference", file, line))

    def to_git(self, text: str, file: str, line: int) -> str:
        """A terminal link to the line on git web."""
        return osc8(text, self.url("git", file, line))
