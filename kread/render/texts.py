"""The fixed texts of the page and the notes, in the reader's language.

Theory of operation: a language is a file in data/lang; every language has the same keys, which a test holds. A text
is a pattern with named blanks. The kernel's own names, and the field's terms that have no settled translation, are
left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from kread import data
from kread.errors import UsageError


@dataclass(frozen=True, slots=True)
class Texts:
    """One language: call it with a key and the values of the blanks."""

    lang: str
    rows: dict[str, str]
    titles: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        return self.rows[key].format(**values)

    def title(self, title: str) -> str:
        """A family's title in this language, as far as it is known; else as it is."""
        return self.titles.get(title, title)

    def count(self, key: str, number: int) -> str:
        """A counted noun: the row `key` for one, `key_many` for any other number."""
        return self.rows[key if number == 1 else f"{key}_many"].format(n=number)


def texts(lang: str = "en") -> Texts:
    """The texts of a language; UsageError names those that there are."""
    known = [name.rpartition("/")[2] for name in data.names("lang")]
    if lang not in known:
        raise UsageError("no-such-language", f"There are no texts in {lang!r}", hint=f"Known: {', '.join(known)}")
    loaded = data.load(f"lang/{lang}")
    return Texts(lang, {key: str(text) for key, text in loaded["text"].items()}, dict(loaded.get("title", {})))
