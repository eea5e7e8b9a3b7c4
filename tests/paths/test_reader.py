"""What the reader takes from a file: the comment above a function, in the shapes that the kernel writes."""

from __future__ import annotations

import pytest

from kread.facts import CallSite, Edge, Function, Guard, Step
from kread.paths.reader import COMMENT_LINES, SourceReader


class Files:
    """One file, whose last line begins the function."""

    def __init__(self, text: str) -> None:
        self.text = text

    def lines(self, name: str) -> list[bytes]:
        return self.text.encode().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("above", "comment"),
    [
        ("/* One line. */\n", "One line."),
        ("/*\n * Two\n * lines.\n */\n", "Two\nlines."),
        ("/**\n * f - kernel-doc\n * @a: text\n *\n * More.\n */\n", "f - kernel-doc\n@a: text\n\nMore."),
        ("/* Begins at once,\n   goes on without a star */\n\n", "Begins at once,\n   goes on without a star"),
        ("int a; /* of a */\n", ""),
        ("/*\n *\tFrom till_input.c\n */\n\n", ""),
        ("/* far */\n\n\n", ""),
        ("}\n", ""),
        ("", ""),
        ("static int g(void)\n{\n\treturn 0; /*\n * odd */\n", ""),
    ],
)
def test_comment_above(above: str, comment: str) -> None:
    reader = SourceReader(Files(above + "int f(void)\n"))  # type: ignore[arg-type]
    line = above.count("\n") + 1
    assert reader.comment(Function("a.c", "f", line, line)) == comment


def test_a_long_comment_is_cut_and_says_so() -> None:
    text = "/*\n" + " * line\n" * 100 + " */\nint f(void)\n"
    reader = SourceReader(Files(text))  # type: ignore[arg-type]
    said = reader.comment(Function("a.c", "f", 103, 103)).splitlines()
    assert len(said) == COMMENT_LINES
    assert said[-1] == "..."


def test_where_a_path_ends_a_short_function_stands_whole_with_what_it_sets() -> None:
    text = (
        "int f(struct till *till)\n{\n\tstruct coin coin;\n\tcoin.worth = till->sum;\n\n"
        "\ttill->sum = 0;\n\tif (till->open == 1)\n\t\ttill->state |= 2;\n\treturn 0;\n}\n"
    )
    reader = SourceReader(Files(text))  # type: ignore[arg-type]
    step = Step(Function("a.c", "f", 1, 10))
    assert [line.text for line in reader.slice(step)] == text.splitlines()
    # What the function holds itself is no change that anybody sees; a comparison is none at all.
    assert list(reader.changes(step)) == [(6, "till->sum = 0"), (8, "till->state |= 2")]


def test_a_type_that_stands_above_the_name_belongs_to_the_definition() -> None:
    text = "/* Said of f. */\nstatic struct till *\nf(struct till *till)\n{\n\tif (till->sum)\n\t\tg(till);\n}\n"
    reader = SourceReader(Files(text))  # type: ignore[arg-type]
    function = Function("a.c", "f", 3, 7)
    site = CallSite("a.c", 6, 3, "g(till)")
    edge = Edge(function, Function("a.c", "g", 9, 9), site, "direct", "certain")
    step = Step(function, edge, (Guard(5, "till->sum", True),))
    assert [line.text for line in reader.slice(step)] == text.splitlines()[1:3] + text.splitlines()[4:6]
    assert [line.text for line in reader.slice(Step(function))] == text.splitlines()[1:]
    assert reader.comment(function) == "Said of f."


def test_a_long_function_at_the_end_shows_its_signature() -> None:
    text = "int f(struct till *till)\n{\n" + "\ttill->sum++;\n" * 100 + "}\n"
    reader = SourceReader(Files(text))  # type: ignore[arg-type]
    assert [line.text for line in reader.slice(Step(Function("a.c", "f", 1, 103)))] == ["int f(struct till *till)"]
