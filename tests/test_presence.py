"""Presence conditions against Python's own logic, the compiler's preprocessor, and hand-written expectations."""

from __future__ import annotations

import gzip
import itertools
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kread import presence
from kread.errors import UsageError
from kread.presence import Config, logic

SYMBOLS = ("CONFIG_A", "CONFIG_B", "CONFIG_C", "CONFIG_D")

#: A C expression, with the same thing as a function of the symbols that are set.
Expression = tuple[str, Callable[[frozenset[str]], bool]]


def _asks(symbols: tuple[str, ...]) -> st.SearchStrategy[Expression]:
    spelling = st.sampled_from(("{}", "defined({})", "defined {}", "IS_ENABLED({})", "( {} )", "{} /* why */"))
    return st.builds(
        lambda name, form: (form.format(name), lambda config: name in config), st.sampled_from(symbols), spelling
    )


def _expressions(symbols: tuple[str, ...] = SYMBOLS, leaves: int = 12) -> st.SearchStrategy[Expression]:
    constants = st.sampled_from([("0", lambda config: False), ("1", lambda config: True)])

    def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        return st.one_of(
            inner.map(lambda one: (f"!({one[0]})", lambda config: not one[1](config))),
            st.tuples(inner, inner).map(
                lambda two: (f"({two[0][0]}) && ({two[1][0]})", lambda config: two[0][1](config) and two[1][1](config))
            ),
            st.tuples(inner, inner).map(
                lambda two: (f"({two[0][0]})||({two[1][0]})", lambda config: two[0][1](config) or two[1][1](config))
            ),
            st.tuples(inner, inner, inner).map(
                lambda three: (
                    f"({three[0][0]}) ? ({three[1][0]}) : ({three[2][0]})",
                    lambda config: three[1][1](config) if three[0][1](config) else three[2][1](config),
                )
            ),
        )

    return st.recursive(st.one_of(_asks(symbols), _asks(symbols), constants), grow, max_leaves=leaves)


def _configs(symbols: tuple[str, ...] = SYMBOLS) -> list[tuple[frozenset[str], Config]]:
    chosen = [frozenset(itertools.compress(symbols, bits)) for bits in itertools.product((0, 1), repeat=len(symbols))]
    text = "CONFIG_ALWAYS=y\n{}\n"
    return [(names, Config.parse(text.format("\n".join(f"{name}=y" for name in sorted(names))))) for names in chosen]


CONFIGS = _configs()


@given(_expressions())
def test_a_directive_keeps_its_meaning(expression: Expression) -> None:
    text = presence.from_directive(expression[0])
    assert [config.evaluate(text) for _, config in CONFIGS] == [expression[1](names) for names, _ in CONFIGS]


@given(_expressions(), _expressions(), _expressions())
def test_joining_and_negating_keep_their_meaning(one: Expression, two: Expression, three: Expression) -> None:
    texts = [presence.from_directive(each[0]) for each in (one, two, three)]
    both, either, opposite = presence.conj(*texts), presence.disj(*texts), presence.negate(texts[0])
    for names, config in CONFIGS:
        values = [each[1](names) for each in (one, two, three)]
        assert config.evaluate(both) is all(values)
        assert config.evaluate(either) is any(values)
        assert config.evaluate(opposite) is not values[0]


@given(_expressions(), _expressions())
def test_implies_and_contradicts_agree_with_every_configuration(one: Expression, two: Expression) -> None:
    first, second = presence.from_directive(one[0]), presence.from_directive(two[0])
    rows = [(one[1](names), two[1](names)) for names, _ in CONFIGS]
    assert presence.implies(first, second) is all(b for a, b in rows if a)
    assert presence.contradicts(first, second) is not any(a and b for a, b in rows)


@given(_expressions(), _expressions())
def test_a_text_is_a_fixed_point_and_constants_show_as_such(one: Expression, two: Expression) -> None:
    texts = [presence.from_directive(each[0]) for each in (one, two)]
    for text in (*texts, presence.conj(*texts), presence.disj(*texts), presence.negate(texts[0])):
        assert presence.from_directive(text or "1") == text
        assert presence.conj(text, text) == text
        assert presence.disj(text, text) == text
        verdicts = {config.evaluate(text) for _, config in CONFIGS}
        assert (text == "") is (verdicts == {True})
        assert (text == "0") is (verdicts == {False})


@given(_expressions(), _expressions())
def test_no_part_of_a_text_is_idle(one: Expression, two: Expression) -> None:
    """Each name in a simplified condition decides it somewhere."""
    text = presence.conj(presence.from_directive(one[0]), presence.from_directive(two[0]))
    verdict = {names: config.evaluate(text) for names, config in CONFIGS}
    for name in SYMBOLS:
        if name in text:
            assert any(verdict[names] is not verdict[names ^ {name}] for names in verdict)


WIDE = tuple(f"CONFIG_W{index}" for index in range(logic.MAX_ATOMS + 6))


@settings(max_examples=60)
@given(st.lists(_expressions(WIDE, 20), min_size=6, max_size=8), st.data())
def test_beyond_the_table_size_meaning_is_kept(many: list[Expression], data: st.DataObject) -> None:
    texts = [presence.from_directive(each[0]) for each in many]
    both, either, opposite = presence.conj(*texts), presence.disj(*texts), presence.negate(presence.conj(*texts))
    for _ in range(20):
        names = frozenset(data.draw(st.sets(st.sampled_from(WIDE))))
        config = Config.parse("CONFIG_ALWAYS=y\n" + "".join(f"{name}=y\n" for name in sorted(names)))
        values = [each[1](names) for each in many]
        assert config.evaluate(both) is all(values)
        assert config.evaluate(either) is any(values)
        assert config.evaluate(opposite) is not all(values)
        assert not (presence.implies(either, both) and any(values) and not all(values))


@given(st.text(alphabet=st.sampled_from("AB_01()&|!<>=+-*/%?:,.'\" \\\n#defined\x00é"), max_size=60))
def test_any_text_reads_and_reads_again_the_same(expression: str) -> None:
    for text in (presence.from_directive(expression), presence.ifdef(expression), presence.ifndef(expression)):
        assert presence.from_directive(text or "1") == text
        assert presence.negate(presence.negate(text)) in (text, presence.conj(text))
        assert presence.conj(text, presence.negate(text)) == "0"


@pytest.mark.parametrize("expression", ["(" * 5000, "!" * 5000 + "A", "9" * 5000, "A ? " * 3000, "1 + " * 9000 + "1"])
def test_an_endless_expression_is_one_unknown_condition(expression: str) -> None:
    text = presence.from_directive(expression)
    assert text.lstrip("!").startswith("unreadable(")
    assert len(text) < 100


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0", "0"),
        ("1", ""),
        ("2 > 1", ""),
        ("defined(CONFIG_X)", "CONFIG_X"),
        ("IS_ENABLED(CONFIG_X)", "CONFIG_X"),
        ("IS_REACHABLE(CONFIG_X)", "CONFIG_X"),
        ("defined(CONFIG_X) || defined(CONFIG_X_MODULE)", "CONFIG_X"),
        ("defined(CONFIG_X_MODULE)", "IS_MODULE(CONFIG_X)"),
        ("IS_BUILTIN(CONFIG_X) || IS_MODULE(CONFIG_X)", "IS_BUILTIN(CONFIG_X) || IS_MODULE(CONFIG_X)"),
        ("IS_BUILTIN(CONFIG_X) && IS_MODULE(CONFIG_X)", "0"),
        ("!defined(CONFIG_X) && !defined CONFIG_Y", "!CONFIG_X && !CONFIG_Y"),
        ("!(defined(CONFIG_X) && FOO < 2)", "!CONFIG_X || FOO >= 2"),
        ("BITS_PER_LONG==64", "BITS_PER_LONG == 64"),
        ("BITS_PER_LONG==64 && BITS_PER_LONG==32", "0"),
        ("BITS_PER_LONG==64 && BITS_PER_LONG!=32", "BITS_PER_LONG == 64"),
        ("FOO > 3 || FOO > 1", "FOO > 1"),
        ("defined(__KERNEL__) || !defined(__GLIBC__)", ""),
        ("defined(__ASSEMBLY__)", "0"),
        ("defined(_LINUX) || defined(__linux__)", ""),
        ("CONFIG_X && !defined(__GNUC__)", "0"),
        ("__GNUC__ < 7 || defined(__GNUC__) && CONFIG_X", "__GNUC__ < 7 || CONFIG_X"),
        ("!defined(__CHECKER__) && defined(CONFIG_X)", "CONFIG_X"),
        ("LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 0)", "LINUX_VERSION_CODE >= KERNEL_VERSION(2, 6, 0)"),
        ("__has_attribute(__fallthrough__)", "__has_attribute(__fallthrough__)"),
        ("(defined(CONFIG_A) || \\\n defined(CONFIG_B)) && /* not */ !CONFIG_C", "(CONFIG_A || CONFIG_B) && !CONFIG_C"),
        ("defined(A) && (B + 1) * 2 > C // tail", "defined(A) && (B + 1) * 2 > C"),
    ],
)
def test_what_a_directive_reads_as(expression: str, expected: str) -> None:
    assert presence.from_directive(expression) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), ""),
        (("", "CONFIG_A", ""), "CONFIG_A"),
        (("CONFIG_B", "CONFIG_A"), "CONFIG_B && CONFIG_A"),
        (("CONFIG_A", "!CONFIG_A"), "0"),
        (("CONFIG_A", "CONFIG_A || CONFIG_B"), "CONFIG_A"),
        (("CONFIG_A || CONFIG_B", "!CONFIG_A"), "CONFIG_B && !CONFIG_A"),
        (("CONFIG_A", "0"), "0"),
    ],
)
def test_conj_reads_outer_first(conditions: tuple[str, ...], expected: str) -> None:
    assert presence.conj(*conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), "0"),
        (("0", "CONFIG_A"), "CONFIG_A"),
        (("CONFIG_A", "!CONFIG_A"), ""),
        (("CONFIG_A", "CONFIG_A && CONFIG_B"), "CONFIG_A"),
        (("CONFIG_A && CONFIG_B", "CONFIG_A && CONFIG_C"), "CONFIG_A && (CONFIG_B || CONFIG_C)"),
        (("CONFIG_A && CONFIG_B", "CONFIG_A && !CONFIG_B"), "CONFIG_A"),
    ],
)
def test_disj_gathers_what_is_common(conditions: tuple[str, ...], expected: str) -> None:
    assert presence.disj(*conditions) == expected


def test_a_stronger_alternative_adds_nothing_however_many_there_are() -> None:
    common = "CONFIG_NET && CONFIG_INET"
    assert presence.disj(*(f"{common} && {symbol}" for symbol in WIDE), common) == common


def test_needs_names_what_must_be_set() -> None:
    assert presence.needs("(CONFIG_B || IS_BUILTIN(CONFIG_A)) && !CONFIG_C && FOO > 1") == ("CONFIG_B", "CONFIG_A")


MACROS = {"ONE": "1", "TWO": "2", "BIG": "(TWO << 10)", "ZERO": "0", "SEEN": ""}
_NAMES = ("ONE", "TWO", "BIG", "ZERO", "ABSENT", "CONFIG_A", "CONFIG_B", "CONFIG_N")
_OPERATORS = ("&&", "||", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "&", "|", "^")


def _random_expression(choose: random.Random, depth: int) -> str:
    if depth == 0 or choose.random() < 0.2:
        name = choose.choice(_NAMES)
        asked = choose.choice((*MACROS, "ABSENT", "__KERNEL__", "__CHECKER__"))
        config = choose.choice(("CONFIG_A", "CONFIG_B"))
        return choose.choice(
            (name, str(choose.randint(0, 9)), f"defined({asked})", f"IS_ENABLED({config})", "0x1F", "'a'")
        )
    left, right = _random_expression(choose, depth - 1), _random_expression(choose, depth - 1)
    kind = choose.random()
    if kind < 0.15:
        return f"{choose.choice('!~-')}({left})"
    if kind < 0.25:
        return f"({left}) ? ({right}) : {_random_expression(choose, depth - 1)}"
    if kind < 0.35:
        return f"(({left}) {choose.choice(('<<', '>>', '/', '%'))} {choose.randint(1, 9)})"
    shape = choose.choice(("{} {} {}", "({}) {} ({})", "({} {} {})"))
    return shape.format(left, choose.choice(_OPERATORS), right)


@pytest.mark.skipif(shutil.which("cpp") is None, reason="no C preprocessor; to enable, install cpp")
def test_evaluation_agrees_with_the_preprocessor() -> None:
    choose = random.Random(20)
    expressions = [_random_expression(choose, 4) for _ in range(800)]
    lines = [f"#define {name} {value}" for name, value in MACROS.items()]
    lines += ["#define __KERNEL__ 1", "#define CONFIG_A 1", "#define CONFIG_N 7", "#define IS_ENABLED(x) (x + 0)"]
    for number, expression in enumerate(expressions):
        lines += [f"#if {expression}", f"taken {number}", "#endif"]
    run = subprocess.run(
        ["cpp", "-P", "-w", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    taken = {int(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("taken")}
    config = Config.parse("CONFIG_A=y\nCONFIG_N=7\n", defined=MACROS)
    for number, expression in enumerate(expressions):
        assert config.evaluate(presence.from_directive(expression)) is (number in taken), expression
    assert 200 < len(taken) < 600


CONFIG_TEXT = '# comment\nCONFIG_Y=y\nCONFIG_M=m\nCONFIG_N=n\nCONFIG_S="a b"\nCONFIG_I=12\n# CONFIG_U is not set\n\n'


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("0", False),
        ("CONFIG_Y && CONFIG_M && CONFIG_S", True),
        ("CONFIG_N || CONFIG_U || CONFIG_UNHEARD_OF", False),
        ("IS_BUILTIN(CONFIG_Y) && !IS_MODULE(CONFIG_Y)", True),
        ("IS_MODULE(CONFIG_M) && !IS_BUILTIN(CONFIG_M)", True),
        ("CONFIG_I > 11", True),
        ("CONFIG_I == 11", False),
        ("defined(FOO)", None),
        ("defined(FOO) && CONFIG_U", False),
        ("defined(FOO) || CONFIG_Y", True),
        ("FOO > 2 && CONFIG_Y", None),
        ("BITS_PER_LONG == 32", True),
        ("unreadable(x)", None),
        ("__GNUC__ >= 4", None),
    ],
)
def test_a_configuration_decides_in_three_values(condition: str, expected: bool | None) -> None:
    config = Config.parse(CONFIG_TEXT)
    assert config.evaluate(condition) is expected
    assert config.compiles(condition) is (expected is not False)


def test_the_compiler_and_the_architecture_decide_what_no_header_of_the_tree_says() -> None:
    intel = Config.parse("CONFIG_X86=y\nCONFIG_X86_64=y\n")
    arm = Config.parse("CONFIG_ARM64_64K_PAGES=y\nCONFIG_CPU_BIG_ENDIAN=y\n")
    for condition, here, there in (
        ("PAGE_SIZE < 8192", True, False),
        ("__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__", True, False),
        ("defined(__amd64__)", True, False),
        ("defined(__i386__)", False, False),
        ("defined(__GNUC_MINOR__)", None, None),
    ):
        assert (intel.evaluate(condition), arm.evaluate(condition)) == (here, there)


def test_macros_of_the_headers_decide_what_the_configuration_leaves_open() -> None:
    config = Config.parse("CONFIG_64BIT=y\n", defined={"DEPTH": "LIMIT / 2", "LIMIT": "8", "LOOP": "LOOP + 1"})
    assert config.evaluate("DEPTH == 4 && defined(LIMIT) && !defined(FOO)") is True
    assert config.evaluate("FOO") is False
    assert config.evaluate("LOOP > 1") is None
    assert config.evaluate("defined(MODULE)") is None
    assert config.evaluate("BITS_PER_LONG == 64") is True


@pytest.mark.parametrize("packed", [False, True])
def test_a_configuration_is_read_plain_and_compressed(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "config"
    file.write_bytes(gzip.compress(CONFIG_TEXT.encode()) if packed else CONFIG_TEXT.encode())
    assert Config.read(file).values == {"CONFIG_Y": "y", "CONFIG_M": "m", "CONFIG_S": '"a b"', "CONFIG_I": "12"}


@pytest.mark.parametrize(
    ("data", "slug", "where"),
    [
        (b"CONFIG_A=y\nint main;\n", "not-a-config", "config:2"),
        (b"\x7fELF\x00\xff", "not-a-config", "config:1"),
        (b"# nothing here\n", "not-a-config", "config"),
        (gzip.compress(b"CONFIG_A=y\n" * 99)[:20], "unreadable-config", "config"),
        (b"\x1f\x8b\x08garbage", "unreadable-config", "config"),
        (None, "unreadable-config", "config"),
    ],
)
def test_what_is_no_configuration_is_a_usage_error(tmp_path: Path, data: bytes | None, slug: str, where: str) -> None:
    file = tmp_path / "config"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        Config.read(file)
    assert caught.value.slug == slug
    assert caught.value.where.endswith(where)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("", ()),
        ("A", ("A",)),
        ("A && !B", ("A", "!B")),
        ("A && (B || C && D) && E", ("A", "(B || C && D)", "E")),
        ("A || B && C", ("A || B && C",)),
        ("defined(A) && B > 3", ("defined(A)", "B > 3")),
    ],
)
def test_what_must_hold_together_in_a_condition(condition: str, parts: tuple[str, ...]) -> None:
    assert presence.conjuncts(condition) == parts
