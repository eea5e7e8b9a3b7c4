"""The page of facts, paragraph by paragraph: each is held by rules of its number, or by a row of facts.toml.

The page lies beside the checkout; where it does not, what facts.toml says is held all the same. What a row's script
expects is played under the readings of four releases.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kread.data import load
from kread.model import RULES
from kread.model.play import play
from kread.model.policy import policies
from kread.model.script import parse

ROWS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "facts.toml").read_text())["fact"]
PLAYED = [row for row in ROWS if "script" in row]
POLICIES = policies(load("policies"))

PAGE = Path(__file__).resolve().parents[3] / "shared" / "kernel" / "model-facts.md"
#: A paragraph's number at the head of a line, of a row of a table or of a detail; and a section's.
_PARAGRAPH = re.compile(r"^(?:\| |\* |)(R?\d+\.(?:\d+|[a-h]))(?= )", re.M)
_SECTION = re.compile(r"^## (\d+)\.", re.M)
#: The section that tells how the page itself was tried.
ABOUT_THE_PAGE = "14"


def _bears(number: str, rule: str) -> bool:
    return rule == number or rule.startswith(f"{number}:")


@pytest.mark.skipif(not PAGE.is_file(), reason=f"no {PAGE.name} beside the checkout, in shared/kernel")
def test_every_paragraph_of_the_page_is_held() -> None:
    text = PAGE.read_text()
    numbers = set(_PARAGRAPH.findall(text)) - {"5.10"}
    assert len(numbers) > 70
    rows = {row["of"] for row in ROWS}
    assert {each for each in numbers if each not in rows and not any(_bears(each, rule) for rule in RULES)} == set()
    sections = set(_SECTION.findall(text)) - {ABOUT_THE_PAGE}
    held = {each.removeprefix("R").split(".")[0] for each in (*rows, *RULES)}
    assert sections - {rule.split(":")[0] for rule in held} == set()
    assert {each for each in rows if each not in numbers and each not in sections} == set(), "of no paragraph"


@pytest.mark.parametrize("release", POLICIES)
@pytest.mark.parametrize("row", PLAYED, ids=[f"{row['of']} {row['says']}" for row in PLAYED])
def test_what_the_page_says_besides(row: dict[str, Any], release: str) -> None:
    text: str = row["script"]
    run = play(parse(text if "\n" in text else text.replace("; ", "\n"), row["says"]), POLICIES[release])
    assert run.checks
    assert run.passed, "\n".join(str(failure) for failure in run.failures)


def test_what_no_script_shows_is_held_by_name() -> None:
    for row in ROWS:
        assert len({"script", "rules", "held"} & set(row)) == 1, row["says"]
        assert set(row.get("rules", ())) <= set(RULES), row["says"]
