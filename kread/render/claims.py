"""The claims and how they stand in a release, as text and as JSON (kread.check/1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kread.check.claims import Answer, ClaimsCheck
from kread.render.check import dump, laid
from kread.render.layout import Row

#: Where the text begins beside "imprecise".
COLUMN = 11

_ROLES = {"holds": "if", "imprecise": "unsure", "wrong": "unsure"}


def claims_text(check: ClaimsCheck, *, width: int = 80, color: bool = False) -> str:
    """Each claim with its verdict and the evidence."""
    return laid(_claims(check), width, color)


def _claims(check: ClaimsCheck) -> Iterator[Row]:
    yield Row("Claims", role="title", place=f"Linux {check.release}")
    counts = Counter(answer.verdict or "no verdict" for answer in check.answers)
    yield Row(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())), indent=2)
    for answer in check.answers:
        yield Row("")
        yield from _answer(answer)


def _answer(answer: Answer) -> Iterator[Row]:
    verdict = answer.verdict or "no verdict"
    yield Row(answer.claim.says, word=verdict, column=COLUMN, word_role=_ROLES.get(verdict, "unsure"), role="title")
    yield Row(f"but: {answer.claim.but}", indent=COLUMN, hang=5)
    for tried in answer.tried:
        rules = f" ({' '.join(tried.rules)})" if tried.rules else ""
        word = "yes" if tried.met else "no"
        found = "" if tried.met else f": {tried.found}"
        yield Row(f"{tried.case.says}{found}{rules}", word=word, column=5, indent=COLUMN, word_role="note")
    for place in answer.places:
        yield Row(place.statement.written, indent=COLUMN, hang=2, role="code", place=_short(place.statement.place))


def _short(place: str) -> str:
    """A place without the folders that all of them share."""
    return place.rpartition("/")[2]


def claims_json(check: ClaimsCheck) -> str:
    """The same for programs."""
    return dump(
        "claims",
        check.release,
        check.passed,
        {
            "claims": [
                {
                    "name": answer.claim.name,
                    "says": answer.claim.says,
                    "verdict": answer.verdict,
                    "but": answer.claim.but,
                    "cases": [
                        {
                            "says": tried.case.says,
                            "core": tried.case.core,
                            "met": tried.met,
                            "found": tried.found,
                            "rules": tried.rules,
                        }
                        for tried in answer.tried
                    ],
                    "places": [
                        {
                            "rule": place.rule.id,
                            "place": place.statement.place,
                            "text": place.statement.written,
                        }
                        for place in answer.places
                    ],
                }
                for answer in check.answers
            ],
        },
    )
