"""Guards of the annotated fixtures in tests/c/guards, and of real functions as a reader of them would tell.

In a fixture, the comment behind each line with site() lists, in order and split by semicolons: the guards (`if A`,
`not A`, `loop A`, `case A`, `case not A`, `exit not A -> what [reason]`), each with "(stale)" where it may have
changed, then `nested A -> what [reason]`, then `held LOCK`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.facts import Guard
from kread.parse.context import SiteContext
from kread.parse.guards import contexts, guards_at
from kread.parse.wording import negated

FIXTURES = Path(__file__).resolve().parent.parent / "c" / "guards"
_DIRECTIVE = re.compile(rb"^[ \t]*#.*", re.M)


def functions(text: bytes) -> list[tuple[str, int, int]]:
    """The functions of a fixture, by the kernel's habit: the name at column 0, the last brace too."""
    lines = text.decode().split("\n")
    starts = [number for number, line in enumerate(lines, 1) if re.match(r"[a-z].*\)$", line)]
    return [(lines[start - 1].split("(")[0].split()[-1], start, lines.index("}", start) + 1) for start in starts]


def blanked(text: bytes) -> bytes:
    """The text as it is given to the parser: directives blank."""
    return _DIRECTIVE.sub(lambda match: b" " * len(match[0]), text)


def sites(text: bytes, start: int, end: int) -> list[tuple[int, int, str]]:
    found = []
    for number, line in enumerate(text.decode().split("\n"), 1):
        if start <= number <= end and "site()" in line:
            code, _, expected = line.partition("//")
            found.append((number, code.index("site()") + 1, expected.strip()))
    return found


def told(context: SiteContext) -> str:
    """A context in the words of the fixtures."""

    def one(guard: Guard, word: str) -> str:
        tail = (f" -> {guard.exit}" if guard.exit else "") + (f" [{guard.reason}]" if guard.reason else "")
        return f"{word} {guard.text}{tail}" + (" (stale)" if guard in context.stale else "")

    words = []
    for guard in context.guards:
        polarity = "if" if guard.holds else "not"
        kinds = {
            "if": polarity,
            "exit": f"exit {polarity}",
            "loop": "loop",
            "case": "case" if guard.holds else "case not",
        }
        words.append(one(guard, kinds[guard.kind]))
    words += [one(guard, "nested") for guard in context.nested]
    words += [f"held {held.text}" for held in context.held]
    return "; ".join(words)


CASES = [
    pytest.param(file.name, *function, id=f"{file.stem}-{function[0]}")
    for file in sorted(FIXTURES.glob("*.c"))
    for function in functions(file.read_bytes())
]


@pytest.mark.parametrize(("file", "name", "start", "end"), CASES)
def test_fixture(file: str, name: str, start: int, end: int) -> None:
    original = (FIXTURES / file).read_bytes()
    wanted = sites(original, start, end)
    assert wanted, f"{name} has no site"
    found = contexts(blanked(original), start, end, [site[:2] for site in wanted], original)
    assert [(line, told(context)) for (line, _, _), context in zip(wanted, found, strict=True)] == [
        (line, expected) for line, _, expected in wanted
    ]


def test_directives_left_in_the_text_are_alternatives_too() -> None:
    text = (FIXTURES / "directives.c").read_bytes()
    for name, start, end in functions(text):
        if name != "dangling_else":  # the grammar itself cannot read that one
            wanted = sites(text, start, end)
            found = contexts(text, start, end, [site[:2] for site in wanted])
            assert [told(context) for context in found] == [expected for *_, expected in wanted]


def test_lines_and_exits() -> None:
    text = (FIXTURES / "reasons.c").read_bytes()
    _, start, end = functions(text)[0]
    line, column, _ = sites(text, start, end)[0]
    context = guards_at(text, start, end, line, column)
    lines = text.decode().split("\n")
    assert [lines[guard.line - 1].strip() for guard in context.guards] == ["if (a) {", "if (b)", "if (c)"]
    assert [(found.text, found.what, found.labels) for found in context.exits] == [
        ("a", "goto drop", ("drop",)),
        ("b", "goto drop", ("drop",)),
        ("c", "goto quiet", ("quiet",)),
    ]


RENEWED = b"""int f(struct sock *sk, int a)
{
	if (!sk->bound)
		return 1;
	if (sk->state == NEW) {
		struct sock *child;
		sk = sk->listener;
		if (sk->state != LISTEN)
			goto out;
		child = find(sk);
		if (a)
			child = other(sk);
		if (!child)
			goto out;
		if (child != sk) {
			site(child);
			return 0;
		}
	}
	late(sk);
out:
	return 0;
}
"""


def test_a_variable_that_becomes_another_thing_is_told() -> None:
    """What a guard says of sk is no longer said of the sk that is handed over, or asked later."""
    found = guards_at(RENEWED, 1, 22, 16, 4)
    told = [(guard.text, guard.then, guard.then_line) for guard in found.guards]
    assert told == [
        ("!sk->bound", "sk = sk->listener", 7),
        ("sk->state == NEW", "sk = sk->listener", 7),
        ("sk->state != LISTEN", "", 0),
        ("!child", "", 0),  # child = other(sk) may be done before, not after
        ("child != sk", "", 0),
    ]
    assert set(found.stale) <= set(found.guards)


def test_conditions_round_one_exit_that_mean_two_things_by_one_name_say_so() -> None:
    (late,) = contexts(RENEWED, 1, 22, [(20, 2)])
    assert [(guard.text, guard.then) for guard in late.guards] == [("!sk->bound", "")]  # not always another by then
    assert [guard.text for guard in late.nested] == [
        "sk->state == NEW && (sk = sk->listener, sk->state != LISTEN)",
        "sk->state == NEW && !child",
        "sk->state == NEW && (sk = sk->listener, child != sk)",
    ]


@pytest.mark.parametrize(
    ("text", "opposite"),
    [
        ("a == b", "a != b"),
        ("f(x, y == 1) != 0", "f(x, y == 1) == 0"),
        ("a == b && c", "!(a == b && c)"),
        ("a & b == c", "!(a & b == c)"),
        ("a == b ? c : d", "!(a == b ? c : d)"),
        ("a <= b", "!(a <= b)"),
        ("!a", "a"),
    ],
)
def test_the_opposite_of_an_equality_is_an_equality(text: str, opposite: str) -> None:
    assert negated(text) == opposite


def test_what_is_asked_before_anything_is_assigned_speaks_of_arguments() -> None:
    text = b"""int f(struct sock *sk, int a, int b)
{
	if (a)
		return 0;
	while (b) {
		if (sk->state == 1)
			sk->state = 2;
		b--;
	}
	if (sk->state == 3)
		return 0;
	if (!a && (a = sk->next) == 0)
		return 0;
	sk = other(sk);
	if (sk->type == 4)
		site();
}
"""
    context = guards_at(text, 1, 17, 16, 3)
    told = ["a", "sk->state == 3", "!a && (a = sk->next) == 0", "sk->type == 4"]
    assert [guard.text for guard in context.guards] == told
    assert [guard.text for guard in context.entry] == ["a"]
    inside = guards_at(text, 1, 17, 7, 4)
    assert "b" in [guard.text for guard in inside.guards]
    assert "b" not in [guard.text for guard in inside.entry]  # a loop comes back with another value


def test_what_the_source_itself_calls_rare() -> None:
    text = b"""int f(int a, int b)
{
	if (unlikely(a) && b)
		site();
	if (unlikely(a) || b)
		site();
	if (likely(a))
		site();
	else
		site();
	if (a) {
		site();
		NET_INC_STATS(net, LINUX_MIB_LISTENDROPS);
		goto drop;
	}
	if (b) {
		site();
		goto drop;
	}
drop:
	return 0;
}
"""
    calls = [number for number, line in enumerate(text.split(b"\n"), 1) if b"site()" in line]
    rare = [[guard.rare for guard in guards_at(text, 1, 22, line).guards if guard.kind == "if"] for line in calls]
    assert rare == [[True], [False], [False], [True], [True], [False]]


def test_column_0_is_the_first_ink_of_the_line() -> None:
    text = b"int f(int a)\n{\n\tif (a)\n\t\tsite();\n}\n"
    assert guards_at(text, 1, 5, 4) == guards_at(text, 1, 5, 4, 3)
    assert [guard.text for guard in guards_at(text, 1, 5, 4).guards] == ["a"]


@pytest.mark.parametrize(("line", "column"), [(1, 0), (99, 1), (6, 0)])
def test_a_site_that_is_not_in_the_function_is_faulty(line: int, column: int) -> None:
    text = b"int f(int a)\n{\n\tif (a)\n\t\tsite();\n}\n"
    assert guards_at(text, 1, 5, line, column) == SiteContext(faulty=True)


def test_no_function_no_guards() -> None:
    assert guards_at(b"int x;\n", 1, 1, 1, 1) == SiteContext(faulty=True)


def test_unreadable_text_is_marked() -> None:
    text = b"int f(int a)\n{\n\tif (a) @@ ((\n\t\tsite();\n}\n"
    assert guards_at(text, 1, 5, 4).faulty


# Real functions: the file, the function, the call, and what a reader needs to be told.
REAL = [
    (
        "net/ipv4/tcp_input.c",
        "tcp_rcv_state_process",
        "conn_request(",
        "case sk->sk_state == TCP_LISTEN; "
        "exit not th->ack -> return SKB_DROP_REASON_TCP_FLAGS [SKB_DROP_REASON_TCP_FLAGS]; "
        "exit not th->rst -> goto discard [SKB_DROP_REASON_TCP_RESET]; if th->syn; "
        "exit not th->fin -> goto discard [SKB_DROP_REASON_TCP_FLAGS]; held rcu_read_lock; held local_bh_disable",
    ),
    (
        "net/ipv4/tcp_input.c",
        "tcp_conn_request",
        "inet_csk_reqsk_queue_hash_add(",
        "exit not sk_acceptq_is_full(sk) -> goto drop [LINUX_MIB_LISTENOVERFLOWS]; "
        "exit not !req -> goto drop [LINUX_MIB_LISTENDROPS]; "
        "exit not !dst -> goto drop_and_free [LINUX_MIB_LISTENDROPS]; "
        "not fastopen_sk; if !want_cookie; "
        "nested !isn && (syncookies == 2 || inet_csk_reqsk_queue_is_full(sk)) && !want_cookie"
        " -> goto drop [LINUX_MIB_LISTENDROPS]; "
        "nested !want_cookie && !isn && !syncookies && (max_syn_backlog - inet_csk_reqsk_queue_len(sk)"
        " < (max_syn_backlog >> 2)) && !tcp_peer_is_proven(req, dst)"
        " -> goto drop_and_release [LINUX_MIB_LISTENDROPS]",
    ),
    (
        "net/ipv4/tcp_ipv4.c",
        "tcp_v4_do_rcv",
        "tcp_rcv_state_process(",
        "exit not sk->sk_state == TCP_ESTABLISHED -> return 0; "
        "exit not tcp_checksum_complete(skb) -> goto csum_err [SKB_DROP_REASON_TCP_CSUM]; "
        "nested sk->sk_state == TCP_LISTEN && !nsk -> return 0; "
        "nested sk->sk_state == TCP_LISTEN && nsk != sk -> goto reset or return 0",
    ),
]


def real(root: Path, file: str, name: str, call: str) -> list[SiteContext]:
    text = (root / file).read_bytes()
    lines = text.decode().split("\n")
    head = re.compile(rf"(?:[a-z].*\b)?{name}\(")
    start = next(n for n, line in enumerate(lines, 1) if head.match(line) and not line.endswith(";"))
    end = lines.index("}", start) + 1
    found = [(n, lines[n - 1].index(call) + 1) for n in range(start, end) if call in lines[n - 1]]
    return contexts(blanked(text), start, end, found, text)


@pytest.mark.parametrize(("file", "name", "call", "expected"), REAL)
def test_real_functions(tree: Callable[[str], Path], file: str, name: str, call: str, expected: str) -> None:
    context = real(tree("6.12"), file, name, call)[0]
    assert re.sub(r" \(stale\)", "", told(context)) == expected


def test_the_listener_is_served_without_the_lock(tree: Callable[[str], Path]) -> None:
    """tcp_v4_rcv calls tcp_v4_do_rcv twice: for a listener at once, for others under the socket's lock."""
    listener, other = real(tree("6.12"), "net/ipv4/tcp_ipv4.c", "tcp_v4_rcv", "tcp_v4_do_rcv(")
    assert [str(guard) for guard in listener.guards][-1] == "if sk->sk_state == TCP_LISTEN"
    assert [str(guard) for guard in other.guards][-2:] == [
        "not sk->sk_state == TCP_LISTEN",
        "if !sock_owned_by_user(sk)",
    ]
    assert not listener.held
    assert [held.text for held in other.held] == ["bh_lock_sock_nested(sk)"]
    # a TIME_WAIT socket's SYN comes here from behind: that test is not necessary
    assert not any("TCP_TIME_WAIT" in guard.text for guard in listener.guards)


def test_the_state_of_the_request_is_not_that_of_the_listener(tree: Callable[[str], Path]) -> None:
    """In tcp_v4_rcv sk becomes the listener after its state was looked at."""
    (context,) = real(tree("6.12"), "net/ipv4/tcp_ipv4.c", "tcp_v4_rcv", "tcp_check_req(")
    guard = next(guard for guard in context.guards if guard.text == "sk->sk_state == TCP_NEW_SYN_RECV")
    assert guard.holds
    assert guard in context.stale
