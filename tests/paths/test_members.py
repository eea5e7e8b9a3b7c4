"""Which members of which structures lines of C speak of; the expected answers are read off the lines by hand."""

from __future__ import annotations

import pytest

from kread.paths.members import declared, members

FUNCTION = [
    "static int serve(struct shop *shop, const struct buyer *const who, int count)",
    "{",
    "\tstruct till *till = till_of(shop), *other;",
    "\tstruct coin coin;",
    "\tstruct coin *half = half_of(coin, count), *none;",
    "\tint price = shop->till->coins; /* who->name */",
]
TYPES = {("struct shop", "till"): "struct till", ("struct till", "first"): "struct coin"}
CONVERSIONS = {"big_shop": "struct big_shop"}


def found(line: str) -> list[tuple[str, str]]:
    known = declared(FUNCTION)
    rows = members(
        [(7, line)], known, lambda record, name: TYPES.get((record, name), ""), lambda name: CONVERSIONS.get(name, "")
    )
    return [(record, member) for record, member, _ in rows]


def test_parameters_and_variables_are_known() -> None:
    assert declared(FUNCTION) == {
        "shop": "struct shop",
        "who": "struct buyer",
        "till": "struct till",
        "other": "struct till",
        "coin": "struct coin",
        "half": "struct coin",
        "none": "struct coin",
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("if (who->name && who->name[0])", [("struct buyer", "name")]),
        (
            "return shop->till->first.worth;",
            [("struct shop", "till"), ("struct till", "first"), ("struct coin", "worth")],
        ),
        ("return coin.worth + other->sum;", [("struct coin", "worth"), ("struct till", "sum")]),
        ("big_shop(shop)->floors", [("struct big_shop", "floors")]),
        ("stranger(shop)->x + nobody->y", []),
        ('printk("shop->till %d", count); // who->name', []),
        ("shop->serve(shop)", []),  # a call through a slot is told as a call
    ],
)
def test_what_a_line_names(line: str, expected: list[tuple[str, str]]) -> None:
    assert found(line) == expected
