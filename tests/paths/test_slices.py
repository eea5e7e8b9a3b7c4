"""Slices: the lines that a reader needs, of small functions and of a real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kread.facts import Guard, Held, Step
from kread.parse.context import SiteContext
from kread.parse.guards import guards_at
from kread.paths.slices import SliceLine, slice_lines, statement_lines

SOURCE = """\
/* before */
static int
receive(struct sock *sk,
	struct sk_buff *skb)
{
	int err = 0;

	if (too_short(skb) ||
		too_long(skb)) {
		count(DROPS);
		goto drop;
	}
	prepare(sk);
	prepare_more(sk);
	switch (sk->state) {
	case CLOSE:
		goto drop;
	case LISTEN:
		if (skb->ack) {
			/* a ( in a comment */
			err = 1;
			err = 2;
			err = 3;
			err = 4;
			return 1;
		}
		rcu_read_lock();

		if (fast(sk)) {
			quick(sk);
		} else {
			err = slow(sk,
				skb);
		}
		rcu_read_unlock();
	}
	return err;
drop:
	return 0;
}
"""
LINES = SOURCE.split("\n")
START, END, CALL = 2, 40, 32


def told(found: tuple[SliceLine, ...]) -> list[str]:
    return [f"{line.role}: {' '.join(line.text.split())}" for line in found]


def test_the_lines_that_matter() -> None:
    context = guards_at(SOURCE.encode(), START, END, CALL, SOURCE.split("\n")[CALL - 1].index("slow") + 1)
    found = slice_lines(LINES, START, END, CALL, context)
    assert told(found) == [
        "signature: static int",
        "signature: receive(struct sock *sk,",
        "signature: struct sk_buff *skb)",
        "elided: ...",
        "guard: if (too_short(skb) ||",
        "guard: too_long(skb)) {",
        "exit: count(DROPS);",
        "exit: goto drop;",
        "elided: ...",
        "guard: switch (sk->state) {",
        "elided: ...",
        "guard: case LISTEN:",
        "guard: if (skb->ack) {",
        "elided: ...",
        "exit: return 1;",
        "held: rcu_read_lock();",
        "guard: if (fast(sk)) {",
        "elided: ...",
        "guard: } else {",
        "call: err = slow(sk,",
        "call: skb);",
    ]


def test_every_line_is_as_written_and_in_order() -> None:
    context = guards_at(SOURCE.encode(), START, END, CALL)
    shown = [line for line in slice_lines(LINES, START, END, CALL, context) if line.line]
    assert [line.line for line in shown] == sorted({line.line for line in shown})
    assert all(line.text == LINES[line.line - 1].rstrip() for line in shown)
    assert all(START <= line.line <= END for line in shown)


def test_the_last_function_of_a_path_shows_its_signature() -> None:
    assert told(slice_lines(LINES, START, END, 0, SiteContext())) == [
        "signature: static int",
        "signature: receive(struct sock *sk,",
        "signature: struct sk_buff *skb)",
    ]


def test_a_step_is_a_site_too() -> None:
    from kread.facts import Function

    step = Step(Function("a.c", "receive", START, END), None, (Guard(19, "skb->ack", False),), (Held(27, "x"),))
    found = slice_lines(LINES, START, END, CALL, step)
    assert [line.line for line in found if line.role in ("guard", "held")] == [19, 27, 31]


def test_the_assignment_that_makes_a_variable_another_thing_is_shown() -> None:
    guard = Guard(19, "skb->ack", False, then="prepare_more(sk)", then_line=27)
    told_roles = [(line.line, line.role) for line in slice_lines(LINES, START, END, CALL, SiteContext(guards=(guard,)))]
    assert (27, "then") in told_roles


def test_lines_outside_the_function_are_never_shown() -> None:
    found = slice_lines(LINES, START, END, CALL, SiteContext(guards=(Guard(1, "x", True), Guard(99, "y", True))))
    assert all(START <= line.line <= END for line in found if line.line)


def test_a_real_slice(tree: Callable[[str], Path]) -> None:
    text = (tree("6.12") / "net/ipv4/tcp_input.c").read_text()
    lines = text.split("\n")
    start = next(n for n, line in enumerate(lines, 1) if line.startswith("tcp_rcv_state_process("))
    end = lines.index("}", start) + 1
    call = next(n for n in range(start, end) if "conn_request(sk, skb)" in lines[n - 1])
    context = guards_at(text.encode(), start, end, call, lines[call - 1].index("icsk") + 1)
    found = told(slice_lines(lines, start, end, call, context))
    assert found[0] == "signature: tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)"
    assert found[-4:] == [
        "elided: ...",
        "held: rcu_read_lock();",
        "held: local_bh_disable();",
        "call: icsk->icsk_af_ops->conn_request(sk, skb);",
    ]
    for line in ("guard: switch (sk->sk_state) {", "guard: case TCP_LISTEN:", "guard: if (th->ack)"):
        assert line in found
    assert "exit: return SKB_DROP_REASON_TCP_FLAGS;" in found
    assert len(found) < 25


def test_a_line_is_widened_to_its_statement() -> None:
    lines = SOURCE.splitlines()
    for wanted in ("too_short(skb) ||", "\ttoo_long(skb))"):
        at = next(number for number, line in enumerate(lines, 1) if wanted in line)
        found = statement_lines(lines, 3, len(lines), at)
        assert [one.text.strip() for one in found] == ["if (too_short(skb) ||", "too_long(skb)) {"]
