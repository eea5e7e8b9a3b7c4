"""What sources include, beside a plain walk over the includes: chains, circles, parts, and random graphs."""

from __future__ import annotations

import random

import pytest

from kread.index.closures import Closures


def walked(direct: dict[str, list[str]], file: str) -> set[str]:
    seen: set[str] = set()
    work = [file]
    while work:
        for name in direct.get(work.pop(), ()):
            if name not in seen:
                seen.add(name)
                work.append(name)
    return seen


@pytest.mark.parametrize("seed", range(30))
def test_a_closure_is_what_a_walk_over_the_includes_finds(seed: int) -> None:
    rng = random.Random(seed)
    headers = [f"include/h{number}.h" for number in range(rng.randint(1, 60))]
    sources = [f"net/s{number}.c" for number in range(10)]
    direct = {
        file: rng.sample(headers, rng.randint(0, min(3, len(headers))))
        for file in headers[::2] + headers[1::3] + sources
    }
    closures = Closures(direct, sources)
    assert list(closures) == sources
    for source in sources:
        expected = walked(direct, source)
        assert closures.union([source]) == expected
        assert [header in closures[source] for header in headers] == [header in expected for header in headers]
    assert closures.union([*sources, "net/none.c"]) == {file for source in sources for file in walked(direct, source)}
    assert "net/s0.c" not in closures["net/s1.c"]
    assert headers[0] not in closures


def test_a_part_sees_what_the_files_around_it_see_and_not_itself() -> None:
    direct = {"a.c": ["a.h", "part.c"], "b.c": ["b.h", "part.c"], "part.c": ["p.h"], "p.h": ["q.h"], "q.h": ["p.h"]}
    closures = Closures(direct, ["a.c", "b.c"], {"part.c": {"a.c": "", "b.c": ""}})
    assert closures.union(["part.c"]) == {"a.c", "a.h", "b.c", "b.h", "p.h", "q.h"}
    assert closures.union(["a.c"]) == {"a.h", "part.c", "p.h", "q.h"}
    assert closures.get("p.h") is None
