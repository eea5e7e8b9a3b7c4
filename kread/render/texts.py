"""The fixed texts of the page and the notes, in the reader's language.

Theory of operation: a language is a file in data/lang with the texts of the page and the notes by key, the same keys
in every language; and a folder of that name with what the data files say in English (tours, claims, rules), by the
English sentence, so that a sentence that changes is seen to be untranslated. Tests hold both. A text is a pattern with
named blanks. The kernel's own names, and the field's terms that have no settled translation, are left as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kread import data
from kread.errors import UsageError

#: What is filled in between the fixed words of a sentence that is composed elsewhere.
_BLANK = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Texts:
    """One language: call it with a key and the values of the blanks.

    rows     -- key -> text of the page and the notes
    said     -- English sentence of the data -> the same in this language
    patterns -- sentences with blanks that the program composes, and the same in this language
    """

    lang: str
    rows: dict[str, str]
    said: dict[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def __call__(self, key: str, **values: object) -> str:
        return self.rows[key].format(**values)

    def say(self, english: str) -> str:
        """A sentence of the data, or one that the program composed, in this language; unknown ones as they are."""
        if english in self.said:
            return self.said[english]
        for pattern, text in self.patterns:
            if match := pattern.fullmatch(english):
                return text.format(**{name: self.say(value) for name, value in match.groupdict().items()})
        return english

    def either(self, said: str) -> str:
        """Exits as the source writes them, with this language's word between two: "goto drop or return 0"."""
        return said.replace(" or ", self.rows["or"])

    def count(self, key: str, number: int) -> str:
        """A counted noun: the row `key` for one, `key_many` for any other number."""
        return self.rows[key if number == 1 else f"{key}_many"].format(n=number)


@cache
def texts(lang: str = "en") -> Texts:
    """The texts of a language; UsageError names those that there are."""
    known = [name.rpartition("/")[2] for name in data.names("lang")]
    if lang not in known:
        raise UsageError("no-such-language", f"There are no texts in {lang!r}", hint=f"Known: {', '.join(known)}")
    rows = {key: str(text) for key, text in data.load(f"lang/{lang}")["text"].items()}
    said: dict[str, str] = {}
    patterns: dict[str, str] = {}
    for name in data.names(f"lang/{lang}"):
        said |= data.load(name).get("say", {})
        patterns |= data.load(name).get("pattern", {})
    compiled = tuple((_pattern(english), text) for english, text in patterns.items())
    return Texts(lang, rows, said, compiled)


def _pattern(english: str) -> re.Pattern[str]:
    """A sentence with named blanks as a regular expression; a blank that comes twice must be filled alike."""
    met: set[str] = set()

    def blank(match: re.Match[str]) -> str:
        again = match[1] in met
        met.add(match[1])
        return f"(?P={match[1]})" if again else f"(?P<{match[1]}>.+?)"

    return re.compile(_BLANK.sub(blank, re.escape(english)).replace(r"\ ", r"\s+"))
