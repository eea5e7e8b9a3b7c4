"""Preparation: small C with the answer beside it, invariants over any bytes, and what variants show.

Each fixture is C as kernel people write it. Its first lines say what must come out: `functions:` the names of the
function definitions that the tree has, `calls:` the calls in them, each `name@line`, with line 1 the code's first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tree_sitter import Node

from kread.parse.conditional import conditions
from kread.parse.defines import defines
from kread.parse.faults import faults
from kread.parse.macro_table import MacroTable, learn
from kread.parse.prepare import MOST_TEXTS, Prepared, prepare
from kread.parse.syntax import parse

#: What the headers of these fixtures define.
HEADER = rb"""
#define __user __attribute__((noderef))
#define __must_check __attribute__((warn_unused_result))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __releases(x)
#define stub(x)
#define each(p, head) for (p = first(head); p; p = next(p))
#define each_object(p) each(p, &objects)
#define guarded(name, args...) for (lock(args); held(); ) if (0) {} else
#define members_of(NAME, MEMBERS...) struct { MEMBERS } NAME;
#define BITS(name, bits) unsigned long name[bits]
#define ENTRIES E(one) E(two)
#define DEFAULT = 3
#define asm_inline asm __inline
"""
TABLE = learn(("header.h", define) for define in defines(HEADER))


def ready(text: bytes) -> Prepared:
    return prepare(text, TABLE.overlay(defines(text)), conditions(text))


def nodes(node: Node, kind: str) -> Iterator[Node]:
    if node.type == kind:
        yield node
    for child in node.children:
        yield from nodes(child, kind)


def text_of(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()


def found(text: bytes) -> tuple[list[str], list[str]]:
    """The function definitions and the calls of all texts, the calls that only variants have included."""
    names: list[str] = []
    calls: set[tuple[int, int, str]] = set()
    prepared = ready(text)
    for prepared_text in (prepared.text, *prepared.variants):
        root = parse(prepared_text).root_node
        if prepared_text is prepared.text:
            for function in nodes(root, "function_definition"):
                declarator = next(nodes(function, "function_declarator"))
                names.append(text_of(declarator.child_by_field_name("declarator")))
        for call in nodes(root, "call_expression"):
            callee = call.child_by_field_name("function")
            assert callee is not None
            row, column = callee.start_point
            calls.add((row, column, text_of(callee)))
    return names, [f"{name}@{row + 1}" for row, _, name in sorted(calls)]


CASES = {
    "annotations, before, between and behind": """
functions: f
calls: g@3
static __must_check int f(char __user *p, int n) __releases(lock)
{
	return g((void __user *)p, n);
}
""",
    "lone names between macros at file scope": """
functions: f
calls: g@9
ENTRIES_START(one)
ENTRY_UNUSED
#ifdef CONFIG_X
ENTRY(two)
#endif
ENTRIES_END(one)

static int f(struct s *s)
{ return g(s); }
""",
    "attributes as gcc writes them": """
functions: f
calls: g@2
static int __attribute__((unused)) f(void) {
	int a __attribute__((aligned(8))) = g();
}
""",
    "a loop with braces, and one without": """
functions: f
calls: a@3 first@4 b@5
void f(void) {
	each(p, &list) {
		a(p);
	} each(p, first(x))
		b(p);
}
""",
    "a loop within a loop, and one without arguments": """
functions: f
calls: a@4 b@6
void f(void) {
	each(p, &list)
		each_object(q) {
			a(p, q);
			unknown_loop() {
				b();
			}
		}
}
""",
    "a loop in the branch of a condition": """
functions: f
calls: a@4 b@6
void f(void) {
	if (x)
		each(p, list)
			a(p);
	else
		b();
}
""",
    "a section that the file's own macro opens, closed by another": """
functions: f
calls: a@6 done_with@7
#define with(x) { int i; for (i = 0; i < 3; i++)
#define done_with(x) }

void f(void) {
	with(x) {
		a(i);
	} done_with(x);
}
""",
    "a closing macro without a semicolon": """
functions: f g
calls: a@3
void f(void) {
	with(x) {
		a(i);
	} done_with(x)
}
void g(void) {}
""",
    "a guard and a scope": """
functions: f
calls: guard@2 guard(rcu)@2 a@4
void f(void) {
	guard(rcu)();
	guarded(rcu, &lock) {
		a();
	}
}
""",
    "functions that macros make": """
functions: SYSCALL_DEFINE2 after BPF_CALL_1
calls: run@3 helper@11
SYSCALL_DEFINE2(listen, int, fd, int, backlog)
{
	return run(fd, backlog);
}
EXPORT_SYMBOL(listen)
int after(void)
{
}
BPF_CALL_1(helper_of, struct sock *, sk)
{
	return helper(sk);
}
""",
    "a macro at file scope swallows nothing": """
functions: f g
calls: a@4
module_init(start)
static DEFINE_MUTEX(lock);
INDIRECT_DECLARE(int f(struct sock *, int));
int f(void) { return a(); }
EVENT(name, PROTO(struct sock *sk), ASSIGN(entry->a = 1; if (sk) { entry->b = 2; }))
int g(void) { }
""",
    "types among arguments": """
functions: f
calls: container_of@2 min_t@3 use@4 va_arg@5 alloc_percpu@6
void f(void *p, int n) {
	struct thing *t = container_of(p, struct thing, member.list);
	n = min_t(unsigned int, n, 3);
	use((struct thing *)p, sizeof(struct thing), (int)n);
	n = va_arg(ap, unsigned long long);
	q = alloc_percpu(struct thing *);
}
""",
    "operators, nothing, braces and statements among arguments": """
functions: f
calls: compare@2 call@3 table@4 check@5 check@6 block@7 g@7
void f(void) {
	compare(a, <=, b);
	call(a, , b, );
	table(a, { .x = 1, .y = 2 });
	check(a, return -1);
	check(a, goto out);
	block(({ g(); 1; }));
out:
}
""",
    "statements with semicolons among arguments": """
functions: f
calls: g@2 h@2
void f(void) {
	LOOP(g(a);, if (h(b)) return;);
}
""",
    "offsetof and its like take more than the grammar knows": """
functions: f
calls: Xffsetof@2 X_alignof__@3
void f(void) {
	a = offsetof(struct x, y.z[3]);
	b = __alignof__(*p);
}
""",
    "typeof is a type": """
functions: f
calls: g@2
void f(int *p) {
	typeof(*(p)) a = g(p);
	__typeof__(a) b = 3;
	const auto c = 4;
}
""",
    "assembler vanishes with its operands": """
functions: f
calls: g@4
void f(void) {
	asm volatile("mov %0, %1" : "=r" (a) : "r" (b) : "memory");
	asm_inline volatile(PREFIX "nop" : : [x] "i" (3));
	g();
}
""",
    "literals with macros between them": """
functions: f
calls: print@2 print@3
void f(void) {
	print(LEVEL "a" FORMAT(3) "b %d\\n", 3);
	print(FORMAT(3) "b {(", '"', '\\'');
}
""",
    "case ranges, computed jumps, a label at the end": """
functions: f
calls: g@3
void f(int a) {
	switch (a) {
	case 1 ... 5: g();
	}
	goto *table[a]; p = &&end;
end:
}
""",
    "elvis and old-style definitions": """
functions: f
calls: g@4
int f(a, b)
	int a; char *b;
{
	return g(a) ? : b;
}
""",
    "local tables, records and variables that macros declare": """
functions: f
calls: DEFINE_STATE@3 NAME@5 NAME@5 g@6
void f(void) {
	struct local { BITS(map, 64); int x; } l;
	static DEFINE_STATE(state, 5 * HZ, 10);
	BITS(bits, 64) = { 0 };
	static const struct row t[] = { NAME("a") FIRST, NAME("b") SECOND };
	g(&l);
}
""",
    "initialisers with and without commas": """
functions: f
calls: F@2 G@3 H@4
static struct ops table = {
	.a = F(struct x, 3),
	G(b)
	H(c),
	{ .d = 4 },
	ENTRIES
};
int f(void) {}
""",
    "a value that begins with an operator": """
functions: f
calls: g@3
static int level DEFAULT;
#define TIMES_TWO * 2
void f(void) { g(level TIMES_TWO); }
""",
    "both heads of one body": """
functions: f
calls: g@6
#ifdef A
static int f(int a)
#else
static int f(int a, int b)
#endif
{ return g(a); }
""",
    "a brace split over branches": """
functions: f
calls: a@3 b@7
void f(int x) {
#ifdef A
	if (x) { a();
#else
	if (0) {
#endif
	} else if (x) { b(); }
}
""",
    "a dangling else before the end of a branch": """
functions: f
calls: a@4 b@7
void f(int x) {
#ifdef A
	if (x)
		a();
	else
#endif
		b();
}
""",
    "alternatives inside a function are all read": """
functions: f
calls: a@3 b@5 c@8 d@12
void f(int x) {
#if defined(A)
	a();
#elif defined(B)
	b();
#else
#ifdef C
	c();
#endif
#ifdef C
#else
	d();
#endif
#endif
}
""",
    "alternatives at file scope stand side by side": """
functions: f f g
calls: a@2 b@4
#ifdef A
int f(void) { return a(); }
#else
int f(void) { return b(); }
#endif
int g(void) { }
""",
    "what is never compiled is not read": """
functions: f
calls: a@5
#if 0
int broken( {
#endif
int f(void) {
	a();
#if 0
	b(;
#endif
}
""",
    "a stub is blanked as an annotation but kept as a call and as a definition": """
functions: stub f
calls: stub@2
static void stub(int x) { }
void f(void) { stub(3); }
""",
    "a field with an annotation's name": """
functions: f
calls: g@1
void f(struct x *p) { g(p->__user, p->each(1)); }
""",
    "comments and strings hide nothing and show nothing": """
functions: f
calls: a@2 b@4
void f(void) { /* { ( each(p) { */
	a("} each(x) {"); // }
	/* many
	lines */ b('}');
}
""",
}


@pytest.mark.parametrize("name", CASES)
def test_c_as_kernel_people_write_it(name: str) -> None:
    functions, calls, code = CASES[name].lstrip("\n").split("\n", 2)
    text = code.encode()
    prepared = ready(text)
    for shown in (prepared.text, *prepared.variants):
        assert faults(text, parse(shown)) == [], shown.decode()
    names, called = found(text)
    assert names == functions.removeprefix("functions:").split()
    called = [call for call in called if call.partition("@")[0] not in _ASIDE]
    assert called == calls.removeprefix("calls:").split(), prepared.text.decode()


#: Calls of what only stands in the fixtures' conditions.
_ASIDE = frozenset(("p->each",))


def test_records_keep_every_member() -> None:
    text = b"""
struct s {
	int a;
	members_of(group, int b; members_of(inner, char *c; ););
	BITS(map, 64);
	cacheline(x);
	unsigned int d:3, :5, e:8;
	u32 : 4;
	enum { A, B } kind:16;
	struct { int f; };;
	LONE_MACRO
	void (*call)(struct s __user *, int);
};
"""
    prepared = ready(text)
    root = parse(prepared.text).root_node
    assert faults(text, parse(prepared.text)) == []
    names = [text_of(node) for node in nodes(root, "field_identifier")]
    assert names == ["a", "b", "c", "map", "d", "e", "kind", "f", "call"]


def test_enumerations_keep_every_name() -> None:
    text = b"enum e { FIRST = 1, MADE(second), MADE(third) ENTRIES LAST_ONE, };"
    prepared = ready(text)
    assert faults(text, parse(prepared.text)) == []
    names = [text_of(node.child_by_field_name("name")) for node in nodes(parse(prepared.text).root_node, "enumerator")]
    assert names[0] == "FIRST"
    assert names[-1] == "LAST_ONE"
    assert len(names) == 4


def test_what_macros_make_is_told_apart_from_what_they_declare() -> None:
    text = b"SYSCALL_DEFINE1(close, int, fd)\n{\n}\nEXPORT_SYMBOL(close);\nint f(void) __printf(1, 2);\n"
    prepared = ready(text)
    (made,) = prepared.made
    assert (made.name, made.args, text[made.start : made.start + 7]) == (
        b"SYSCALL_DEFINE1",
        b"(close, int, fd)",
        b"SYSCALL",
    )
    assert text[made.body : made.body + 1] == b"{"
    assert [(use.name, use.args, text[use.start : use.end]) for use in prepared.invocations] == [
        (b"EXPORT_SYMBOL", b"(close)", b"EXPORT_SYMBOL(close)")
    ]
    assert [(use.name, use.args) for use in prepared.annotations] == [(b"__printf", b"(1, 2)")]


def test_variants_hold_only_the_declaration_around_their_branches() -> None:
    text = b"int before(void) { a(); }\nint f(void) {\n#ifdef A\n\tx();\n#else\n\ty();\n#endif\n\tz();\n}\nint after;\n"
    prepared = ready(text)
    assert prepared.variant_lines == (((6, 6),),)
    (variant,) = prepared.variants
    kept = [line.strip() for line in variant.split(b"\n")]
    assert kept == [b"", b"int f(void) {", b"", b"", b"", b"y();", b"", b"z();", b"}", b"", b""]
    assert b"y()" not in prepared.text
    assert b"x()" in prepared.text


def test_a_file_with_too_many_alternatives_says_so() -> None:
    branches = b"".join(b"#elif defined(A%d)\n\tf();\n" % number for number in range(MOST_TEXTS + 1))
    prepared = ready(b"void f(void) {\n#if defined(A)\n" + branches + b"#endif\n}\n")
    assert not prepared.complete
    assert len(prepared.variants) == MOST_TEXTS - 1
    assert ready(b"int x;").complete


@pytest.mark.parametrize(
    "piece",
    [
        b"(",
        b"{",
        b"}",
        b"f(",
        b";f(",
        b"#if X\n",
        b"#if X\n#else\n",
        b'"',
        b"/*",
        b"asm(",
        b"a b ",
        b"{a(b) c,",
        b"\\\n",
    ],
)
def test_deep_and_unclosed_text_ends(piece: bytes) -> None:
    for lead in (b"", b"void f(void) {", b"struct s {", b"enum {", b"int x[] = {"):
        check(lead + piece * 3000)


#: Pieces that preparation looks at, to be put together at random. `=` stands for a space, `#` for one on a new line.
_PIECES = (
    rb"each( ( ) { } ; , #if=A #else #elif=0 #endif #define=X=\ struct =s= enum= static= / * \" ' /* */ // \ : ... &&l"
    rb" __user= __printf( typeof( asm( return= goto=* 1=...=2 ENTRIES members_of( BITS( stub( = else case= default: =={ f(a)"
)
PIECES = st.sampled_from([*_PIECES.split(), b"\n", b"\t", b"\\\n", b"\r\n", b"\0", b"\xff"]).map(
    lambda piece: piece.replace(b"=", b" ").replace(b"#", b"\n#")
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=60).map(b"".join), st.binary(max_size=200)))
def test_any_bytes_keep_their_length_and_lines(text: bytes) -> None:
    check(text)


def check(text: bytes, table: MacroTable = TABLE) -> None:
    prepared = prepare(text, table.overlay(defines(text)), conditions(text))
    breaks = [place for place, byte in enumerate(text) if byte == 10]
    assert len(prepared.variants) == len(prepared.variant_lines)
    for shown in (prepared.text, *prepared.variants):
        assert len(shown) == len(text)
        assert [place for place, byte in enumerate(shown) if byte == 10] == breaks


def test_neighbours_in_a_table_keep_their_lines() -> None:
    check(b"static int (*list[])(int a) = {\nROWS(A, 1)\nROWS(A, 2)\n\nROWS(A, 3)\n};\nint after;\n")


@pytest.mark.parametrize("file", ["net/ipv4/tcp_ipv4.c", "include/net/sock.h", "net/core/filter.c"])
def test_a_damaged_kernel_file_keeps_its_length_and_lines(tree: Callable[[str], Path], file: str) -> None:
    text = (tree("6.12") / file).read_bytes()
    size = len(text)
    for step in range(1, 8):
        cut, drop = size * step // 9, size * step // 20
        check(text[:cut])
        check(text[:cut] + text[cut + drop :])
        check(text[:cut] + b"({#if\n/*" + text[cut:])


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python before 3.11.5 matches less than it should where such a group can backtrack; (?>(?:...)*) is right in all."""
    import kread

    package = Path(kread.__file__).parent
    found = [file.name for file in package.rglob("*.py") if re.search(r"\)[*+?]\+", file.read_text(encoding="utf-8"))]
    assert found == []
