"""The calls that macros make, compared with those that a compiler makes of the same text."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kread.parse.bearing import Bearing
from kread.parse.calls import calls
from kread.parse.defines import defines
from kread.parse.expand import Expander, Macro
from kread.parse.macro_calls import MacroCalls

needs_gcc = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("nm") is None, reason="gcc or nm is not installed: apt-get install gcc"
)

HEADER = r"""
#define likely(x) __builtin_expect(!!(x), 1)
#define CHECK(c) do { extern void check_failed(void) __attribute__((__error__("no"))); \
    if (!(c)) check_failed(); } while (0)
#define READ(x) ({ CHECK(sizeof(x) <= 8); *(volatile typeof(x) *)&(x); })
#define DIRECT(a) direct(a)
#define NESTED(a) DIRECT(inner(a))
#define PASTED(stem, a) stem##_one(a)
#define PASTED_TWICE(stem, a) PASTED(stem##_more, a)
#define APPLIED(f, a) f(a)
#define APPLIED_IN_PARENS(f, a) (f)(a)
#define GUESS(p, known, ...) (likely((p) == known) ? known(__VA_ARGS__) : (p)(__VA_ARGS__))
#define GUESS2(p, a, b, ...) (likely((p) == a) ? a(__VA_ARGS__) : GUESS(p, b, __VA_ARGS__))
#define COPIED(p, known, ...) ({ typeof(p) __f1 = (p); likely(__f1 == known) ? known(__VA_ARGS__) : __f1(__VA_ARGS__); })
#define COPIED2(p, a, b, ...) ({ typeof(p) __f2 = (p); likely(__f2 == a) ? a(__VA_ARGS__) : COPIED(__f2, b, __VA_ARGS__); })
#define DROPPED(a) do { } while (0)
#define UNEVALUATED(a) sizeof(a)
#define TYPE_OF(a) ((typeof(a))1)
#define ALIAS other_name
#define CURRENT (get_current())
#define FIELD member.inner
#define PICK(x) ({ (&picked_##x); })
#define CLEAN(f) __attribute__((__cleanup__(f)))
#define GUARD(name) int guard_##name CLEAN(name##_exit) = name##_enter()
#define SIZED(stem, v) ({ switch (sizeof(v)) { case 1: stem##1(&(v)); break; \
    case 4: stem##4(&(v)); break; default: stem##8(&(v)); } })
#define GENERIC(x) _Generic((x), int: of_int, default: of_other)(x)
#define COUNT(...) COUNT_(0, ##__VA_ARGS__, 3, 2, 1, 0)
#define COUNT_(z, a, b, c, n, ...) n
#define JOIN(a, b) JOIN_(a, b)
#define JOIN_(a, b) a##b
#define MANY(...) JOIN(many_, COUNT(__VA_ARGS__))(__VA_ARGS__)
#define CAST(a) ((u32)(a))
#define POINTER_CAST(a) ((struct s *)(a))
#define itself(a) itself(a, 1)
#define known known
#define KNOWN(a) (known((a) + 1))
#define ping(a) pong(a)
#define pong(a) ping(a)
#define EACH(m) m(left) m(right)
#define CALL_EACH(side) call_##side();
#define TWICE(a) ((a) + (a))
"""

#: What a function's body does, and the functions that a compiler calls for it.
BODIES = [
    "DIRECT(1)",
    "NESTED(2)",
    "PASTED(stem, arg(1))",
    "PASTED_TWICE(stem, 3)",
    "APPLIED(applied, arg(1))",
    "APPLIED(DIRECT, 1)",
    "APPLIED_IN_PARENS(applied, 1)",
    "GUESS(p, first, arg(1), 2)",
    "GUESS2(p, first, second, 1)",
    "COPIED(p, first, arg(1), 2)",
    "COPIED2(p, first, second, 1)",
    "COPIED2(READ(p), first, second, 1)",
    "DROPPED(never(1))",
    "n = UNEVALUATED(never(1))",
    "n = TYPE_OF(never(1))",
    "ALIAS(arg(2))",
    "n = CURRENT",
    "n = READ(n) + arg(READ(n))",
    "PICK(one)(arg(1))",
    "GUARD(lock); between()",
    "SIZED(sized_, n)",
    "n = GENERIC(n)",
    "MANY(); MANY(1); MANY(arg(1), 2)",
    "n = CAST(arg(1)) + CAST((n))",
    "POINTER_CAST(arg(1))->member",
    "itself(1)",
    "n = KNOWN(1)",
    "ping(1)",
    "EACH(CALL_EACH)",
    "n = TWICE(arg(1))",
    "for (n = likely(begin()); n < DIRECT(1); n++) loop(NESTED(n))",
    "if (likely(n) && (arg)(n) || !DIRECT(n)) return then(n)",
    "p->FIELD(1)",
]

_ERRORS = re.compile(r"error: (.*)")


def lookup(source: str) -> Callable[[str], Sequence[Macro]]:
    found: dict[str, list[Macro]] = {}
    for define in defines(source.encode()):
        found.setdefault(define.name, []).append(Macro(define.name, define.params, define.body, "t.h", define.line))
    return lambda name: found.get(name, ())


def compiled(tmp_path: Path, body: str) -> set[str]:
    """The functions that gcc refers to in a function of this body."""
    source = f"""typedef unsigned u32;
    struct s {{ struct {{ int (*inner)(int); }} member; }};
    {HEADER}
    extern int picked_one(int), first(int, ...), second(int, ...), of_other(int), of_int(int);
    extern int applied(int), arg(int);
    extern void lock_exit(int *);
    int made(int n, int (*q)(int, ...), struct s *p_) {{
    #define p {"p_" if "->" in body else "q"}
    {body}; return 0; }}"""
    done = subprocess.run(
        ["gcc", "-std=gnu89", "-w", "-O0", "-c", "-x", "c", "-o", str(tmp_path / "t.o"), "-"],
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, _ERRORS.findall(done.stderr)
    names = subprocess.run(["nm", "-u", str(tmp_path / "t.o")], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in names.splitlines()} - {"_GLOBAL_OFFSET_TABLE_"}


@needs_gcc
@pytest.mark.parametrize("body", BODIES)
def test_finds_the_calls_that_a_compiler_makes(body: str, tmp_path: Path) -> None:
    wanted = compiled(tmp_path, body)
    found = {
        call.callee
        for call in MacroCalls(lookup(HEADER)).calls(body)
        if call.kind in ("name", "cleanup") and call.callee != "p"
    }
    if "GENERIC" in body:
        (choice,) = (call for call in MacroCalls(lookup(HEADER)).calls(body) if call.callee.startswith("_Generic"))
        assert wanted < {"of_int", "of_other"}  # which arm is taken is a matter of types, which are not known here
        assert choice.callee == "_Generic((n), int: of_int, default: of_other)"
        wanted = set()
    if "SIZED" in body:
        wanted |= {"sized_1", "sized_4", "sized_8"}  # gcc drops the cases of other sizes
    assert found == wanted


@pytest.mark.parametrize("body", BODIES)
def test_summaries_say_what_full_expansion_says(body: str) -> None:
    """Summing macros up is a short cut: the same calls must come out of one full expansion."""
    known = lookup(HEADER)
    full = {(call.kind, call.callee) for call in calls(Expander(known).expand(body).tokens) if call.kind != "builtin"}
    short = {(call.kind, call.callee) for call in MacroCalls(known).calls(body) if call.kind != "builtin"}
    pointers = {kind for kind, _ in full | short if kind == "pointer"}
    assert {c for c in short if c[0] != "pointer"} == {c for c in full if c[0] != "pointer"}
    assert {kind for kind, _ in short if kind == "pointer"} == pointers


_USES = st.sampled_from(
    [
        "DIRECT(",
        "NESTED(",
        "TWICE(",
        "CAST(",
        "likely(",
        "itself(",
        "UNEVALUATED(",
        "READ(",
        "ALIAS(",
        "plain(",
        "ping(",
        "DROPPED(",
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.sampled_from(["n", "1", "CURRENT", "n + 1"]),
        lambda inner: st.tuples(_USES, inner).map("".join).map(lambda t: f"{t})"),
    )
)
def test_summaries_of_any_nesting_say_what_full_expansion_says(text: str) -> None:
    known = lookup(HEADER)
    full = {(call.callee, call.args) for call in calls(Expander(known).expand(text).tokens) if call.kind == "name"}
    short = MacroCalls(known).calls(text)
    assert {call.callee for call in short if call.kind == "name"} == {callee for callee, _ in full}


def test_a_call_knows_its_place_and_its_arguments() -> None:
    text = "GUESS(sk->handler,\n  tcp_rcv, skb, arg(1))"
    found = {call.callee: call for call in MacroCalls(lookup(HEADER)).calls(text)}
    known = found["tcp_rcv"]
    assert known.args == ("skb", "arg(1)")
    assert known.written == "argname"
    assert known.at == text.index("tcp_rcv")
    assert found["arg"].written == "src"
    assert found["arg"].at == text.index("arg(")
    pointer = found["sk->handler"]
    assert (pointer.kind, pointer.args) == ("pointer", ("skb", "arg(1)"))


def test_a_body_call_names_the_macros_on_the_way() -> None:
    (made,) = [call for call in MacroCalls(lookup(HEADER)).calls("NESTED(x)") if call.callee == "direct"]
    assert [macro.name for macro in made.origin.macros] == ["NESTED", "DIRECT"]
    assert made.origin.macro is not None
    assert made.origin.macro.name == "DIRECT"
    assert made.args == ("inner(x)",)
    assert made.written == "body"


def alternatives(*rows: tuple[str, tuple[str, ...] | None, str, str]) -> Callable[[str], Sequence[Macro]]:
    macros = [Macro(name, params, body, "t.h", line, cond) for line, (name, params, body, cond) in enumerate(rows, 1)]
    return lambda name: [macro for macro in macros if macro.name == name]


def conditions(found: Sequence[object]) -> dict[str, str]:
    return {call.callee: " ".join(call.origin.presences) for call in found}  # type: ignore[attr-defined]


def test_each_alternative_gives_its_condition() -> None:
    known = alternatives(
        ("F", ("x",), "one(x)", "CONFIG_A"),
        ("F", ("x",), "G(x)", "!CONFIG_A"),
        ("G", ("x",), "two(x)", "CONFIG_B"),
        ("G", ("x",), "both(x) + one(x)", "!CONFIG_B"),
        ("H", ("x",), "F(x) + G(x)", ""),
    )
    found = conditions(MacroCalls(known).calls("H(arg(1))"))
    assert found == {"one": "CONFIG_A || !CONFIG_B", "two": "CONFIG_B", "both": "!CONFIG_B", "arg": ""}


def test_an_argument_dropped_by_one_alternative_is_conditional() -> None:
    known = alternatives(("F", ("x",), "use(x)", "CONFIG_A"), ("F", ("x",), "do { } while (0)", "!CONFIG_A"))
    assert conditions(MacroCalls(known).calls("F(arg(1))")) == {"use": "CONFIG_A", "arg": "CONFIG_A"}


def test_conditions_that_exclude_each_other_make_no_call() -> None:
    known = alternatives(("F", (), "G()", "CONFIG_A"), ("G", (), "never()", "!CONFIG_A"))
    assert MacroCalls(known).calls("F()") == ()


def test_a_stand_in_gives_way_to_a_definition_that_always_holds() -> None:
    known = alternatives(("F", (), "generic()", "!defined(F)"), ("F", (), "special()", ""))
    assert conditions(MacroCalls(known).calls("F()")) == {"special": ""}
    known = alternatives(("F", (), "generic()", "!defined(F)"), ("F", (), "special()", "CONFIG_A"))
    assert set(conditions(MacroCalls(known).calls("F()"))) == {"generic", "special"}


def test_where_no_definition_holds_the_function_is_called() -> None:
    known = alternatives(("f", ("x",), "0", "CONFIG_A"), ("F", ("x",), "f(x)", ""))
    assert MacroCalls(known).calls("F(1)") == ()
    assert conditions(MacroCalls(known, function=lambda name: name == "f").calls("F(1)")) == {"f": "!CONFIG_A"}


def test_a_files_own_macros_stand_beside_the_shared_ones() -> None:
    shared = alternatives(("F", ("x",), "G(x)", ""), ("G", ("x",), "shared(x)", ""), ("H", ("x",), "kept(x)", ""))
    own = Macro("G", ("x",), "own(x)", "t.c", 1)
    base = MacroCalls(shared)
    other = base.beside(["G"], lambda name: [own] if name == "G" else shared(name))
    assert set(conditions(base.calls("F(1) + H(2)"))) == {"shared", "kept"}
    assert set(conditions(other.calls("F(1) + H(2)"))) == {"own", "kept"}
    assert set(conditions(other.calls("H(G(2))"))) == {"own", "kept"}


def test_which_macros_can_lead_to_a_call() -> None:
    names = {define.name for define in defines(HEADER.encode())}
    pure = {
        "likely",
        "CHECK",
        "READ",
        "DROPPED",
        "UNEVALUATED",
        "TYPE_OF",
        "ALIAS",
        "FIELD",
        "COUNT",
        "COUNT_",
        "CAST",
        "POINTER_CAST",
        "TWICE",
    }
    bearing = Bearing(lookup(HEADER))
    bears = {name for name in names if bearing.bears(name)}
    assert bears & pure == set()
    assert names - pure - bears <= {"JOIN", "JOIN_", "EACH", "known", "ping", "pong"}


def test_which_macros_must_be_expanded_where_they_stand() -> None:
    bearing = Bearing(lookup(HEADER))
    assert [name for name in ("COUNT", "ALIAS", "JOIN") if not bearing.names(name)] == []
    assert [name for name in ("READ", "FIELD", "CURRENT", "TWICE", "DIRECT") if bearing.names(name)] == []
    assert not bearing.transparent("DROPPED")
    assert bearing.transparent("TWICE")


def test_a_pasted_argument_is_taken_as_written() -> None:
    known = alternatives(
        ("PASTED", ("a",), "call_##a(a)", ""),
        ("THROUGH", ("a",), "PASTED(a)", ""),
        ("NAME", None, "value", ""),
    )
    assert [(call.callee, call.args) for call in MacroCalls(known).calls("PASTED(NAME)")] == [("call_NAME", ("value",))]
    assert [(call.callee, call.args) for call in MacroCalls(known).calls("THROUGH(NAME)")] == [
        ("call_value", ("value",))
    ]


def test_a_copy_made_to_avoid_a_costly_jump_is_looked_through() -> None:
    text = "COPIED2(sk->handler, tcp_rcv, udp_rcv, skb)"
    found = {call.callee: call for call in MacroCalls(lookup(HEADER)).calls(text) if call.kind != "builtin"}
    assert found.keys() == {"tcp_rcv", "udp_rcv", "sk->handler"}
    pointer = found["sk->handler"]
    assert (pointer.kind, pointer.args, pointer.written) == ("pointer", ("skb",), "argname")
