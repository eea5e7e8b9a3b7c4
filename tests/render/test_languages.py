"""Every sentence of the data is there in every language, none is there that nothing says, and notes show no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kread import data
from kread.model import RULES
from kread.paths.tour_file import read_tour, shipped
from kread.render.texts import texts

OTHERS = [name.rpartition("/")[2] for name in data.names("lang") if name != "lang/en"]
KREAD = Path(data.__file__).parent.parent


def sentences() -> Iterator[str]:
    """Everything that the data and the model say in English and that notes or the page may show."""
    for name in shipped():
        tour = read_tour(name)
        yield from (tour.title, tour.goal)
        yield from (one.reason for one in tour.structures)
        for leg in tour.legs:
            yield leg.title
            for stop in leg.stops:
                yield from (stop.reason, stop.because)
        for statement in tour.statements:
            yield from (statement.says, statement.because)
    for claim in data.load("claims")["claim"]:
        yield from (claim["says"], claim["but"], *(case["says"] for case in claim["case"]))
    for row in data.load("handovers")["handover"]:
        yield from (row["title"], row["gives"], row["takes"])
    yield from (row["title"] for row in data.load("references")["reference"])
    yield from (row["title"] for row in data.load("stories")["story"])
    yield from (rule.gloss for rule in RULES.values())


#: Sentences that the program says itself, without a blank.
COMPOSED = {
    "The search stopped at its limit; farther ways may exist. Narrow it with --via or --avoid.",
    "Another way",
    "The call itself",
}


@pytest.mark.parametrize("lang", OTHERS)
def test_every_sentence_of_the_data_is_translated_and_nothing_else(lang: str) -> None:
    said = texts(lang).said
    wanted = {one for one in sentences() if one} | COMPOSED
    assert sorted(wanted - set(said)) == []
    assert sorted(set(said) - wanted) == []


@pytest.mark.parametrize("lang", OTHERS)
def test_no_sentence_is_translated_twice(lang: str) -> None:
    keys = [key for name in data.names(f"lang/{lang}") for key in data.load(name).get("say", {})]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("lang", OTHERS)
def test_purposes_and_the_course_have_every_language(lang: str) -> None:
    course = data.load("course")
    rows = [
        *data.load("purposes")["purpose"].values(),
        *course["step"],
        *course["act"],
        course["title"],
        course["goal"],
    ]
    rows += [part for row in course["question"] for part in (row["ask"], row["answer"])]
    assert [row for row in rows if lang not in row] == []


def test_chinese_is_chinese() -> None:
    """A translation has Chinese letters, unless it is a name, which stays as it is."""
    text = texts("zh")
    plain = [english for english, said in text.said.items() if not re.search(r"[\u4e00-\u9fff]", said)]
    assert all(
        re.fullmatch(r"[\w() ,:-]+|RFC \d+: .*", one) and text.say(one).replace("：", ": ").replace("、", ", ")
        for one in plain
    )
    assert len(plain) < 10
    for english, said in text.said.items():
        assert sorted(set(re.findall(r"\d+", english)) - set(re.findall(r"\d+", said))) in ([], ["1"], ["2"], ["4"]), (
            said
        )


def test_what_the_program_composes_is_said_in_the_language() -> None:
    text = texts("zh")
    said = text.say("a of b is not in v9; here c. It was renamed when UDP came to share it.")
    assert said == "v9 中没有 a of b；这里用 c。当 UDP 开始共用它时改了名。"
    assert text.say("f is not in v5.10.262.") == "v5.10.262 中没有 f。"
    said = text.say("f is not in v5.10.262. Chooses the heir.")
    assert said == "v5.10.262 中没有 f。选择继承者。"
    title = "A SYN reaches a listener: the request is hashed"
    assert text.say(f"{title}, by slow_path") == f"{text.said[title]}，经由 slow_path"
    assert text.say("Through hash, then unhash, then close, by f") == "经由 hash，再经由 unhash，再经由 close，经由 f"
    assert text.say("1 more family: raise -k to see all in full.") == "另有 1 类路径：增大 -k 可看到全部。"
    assert text.say("No such sentence") == "No such sentence"


@pytest.mark.parametrize("lang", OTHERS)
def test_every_pattern_is_what_the_program_says(lang: str) -> None:
    """The fixed words of each pattern stand in the modules that compose sentences."""
    code = "".join(file.read_text(encoding="utf-8") for file in sorted((KREAD / "paths").glob("*.py")))
    for name in data.names(f"lang/{lang}"):
        for english, said in data.load(name).get("pattern", {}).items():
            parts = [part.strip(". ") for part in re.split(r"\{\w+\}", english)]
            assert all(part in code for part in parts if len(part) > 3), english
            assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", said)), english
