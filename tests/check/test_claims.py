"""The claims against a release: the verdicts are those that a person found in the source of four releases."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace

from releases import changed

from kread.check.bodies import Bodies
from kread.check.claims import check_claims, claims
from kread.graph.callgraph import CallGraph

#: How the statements stand in 5.10 to 7.2, by hand.
VERDICTS = {
    "no-flood-is-answered": "imprecise",
    "flood-is-three-quarters": "imprecise",
    "flood-without-cookies-is-dropped": "holds",
    "child-in-step-3": "wrong",
    "half-open-in-the-hash-table": "holds",
    "accept-queue-after-the-ack": "imprecise",
    "half-open-is-not-in-the-accept-queue": "holds",
    "timer-repeats-the-syn-ack": "imprecise",
    "fast-open-helps": "imprecise",
    "backlog-bounds-the-accept-queue": "imprecise",
    "max-syn-backlog-bounds-the-half-open": "imprecise",
    "cookies-ignore-max-syn-backlog": "holds",
    "cookies-have-no-limit": "imprecise",
    "cookies-replace-three-quarters": "holds",
    "backlog-is-capped-by-somaxconn": "holds",
    "somaxconn-is-4096": "holds",
    "a-full-queue-refuses-or-ignores": "imprecise",
    "tcp-v4-rcv-in-order": "holds",
}


def test_the_verdicts_are_those_found_by_hand(graph: CallGraph) -> None:
    found = check_claims(Bodies(graph))
    assert {answer.claim.name: answer.verdict for answer in found.answers} == VERDICTS
    assert found.passed
    assert all(answer.places for answer in found.answers)


def test_the_source_decides_the_verdict(graph: CallGraph) -> None:
    bodies = changed(
        graph, "include/net/sock.h", "sk_ack_backlog) > READ_ONCE(sk->sk_max", "sk_ack_backlog) >= READ_ONCE(sk->sk_max"
    )
    found = {answer.claim.name: answer for answer in check_claims(bodies).answers}
    last = found["backlog-bounds-the-accept-queue"].tried[-1]
    assert last.met
    assert found["backlog-bounds-the-accept-queue"].verdict == "wrong"


def test_every_claim_has_a_core_case() -> None:
    assert all(any(case.core for case in claim.cases) for claim in claims())
    assert len({claim.name for claim in claims()}) == len(claims())


def test_no_claims_is_no_agreement(graph: CallGraph) -> None:
    assert not replace(check_claims(Bodies(graph)), answers=()).passed


def test_the_command_prints_them(kread: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = kread("check", "claims")
    assert done.returncode == 0
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert done.stdout.count("imprecise  ") == list(VERDICTS.values()).count("imprecise")
