"""Links to a line, and C cut into pieces that join to what they were."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kread.render.highlight import pieces
from kread.render.links import LinkMaker, osc8


def test_addresses_of_a_line() -> None:
    links = LinkMaker("v6.12.117", "/src/my linux")
    assert links.url("reference", "net/ipv4/tcp.c", 7) == (
        "https://elixir.bootlin.com/linux/v6.12.117/source/net/ipv4/tcp.c#L7"
    )
    git = urlsplit(links.url("git", "net/ipv4/tcp.c", 7))
    assert (git.query, git.fragment) == ("h=v6.12.117", "n7")
    assert links.url("file", "net/ipv4/tcp.c", 7) == "file:///src/my%20linux/net/ipv4/tcp.c"
    assert LinkMaker("v6.12.117").url("file", "a.c", 1) == ""


def test_osc8_wraps_the_text_alone() -> None:
    assert osc8("text", "https://a") == "\x1b]8;;https://a\x1b\\text\x1b]8;;\x1b\\"


@given(st.text(st.sampled_from("abif0x9_ \t\"'/*#<>.h;(){}\\é"), max_size=60))
def test_pieces_join_to_the_line(line: str) -> None:
    assert "".join(text for _, text in pieces(line)) == line


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ('\tpr_info("if (x) /* no */");', "string", '"if (x) /* no */"'),
        ("\tif (x) /* return */", "comment", "/* return */"),
        (" * @sk: if it is a socket", "comment", " * @sk: if it is a socket"),
        ("#ifdef CONFIG_A", "preproc", "#ifdef"),
        ("\tint ifx = 0x1fUL;", "number", "0x1fUL"),
        ("\tstruct sock *sk = NULL;", "keyword", "struct"),
        ("#include <net/tcp.h>", "string", "<net/tcp.h>"),
    ],
)
def test_pieces_know_their_kind(line: str, kind: str, text: str) -> None:
    assert (kind, text) in list(pieces(line))
