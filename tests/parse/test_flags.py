"""What Makefiles define on the compiler's command line: it holds for their files, and for no others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.graph.callgraph import CallGraph
from kread.parse.flags import Flags
from kread.presence import Config

DEBUG = """
#ifndef _DEBUG_H
#define _DEBUG_H
void tell(int value);
void note(int value);
void careful(int value);
void plainly(int value);
#if defined(VERBOSE)
#define say(x) tell(x)
#else
#define say(x) do { if (0) note(x); } while (0)
#endif
#ifdef __SANITIZE_ADDRESS__
#define copy(x) careful(x)
#else
#define copy(x) plainly(x)
#endif
#endif
"""
USER = """
#include <linux/debug.h>
#include "local.h"
void {name}(int value) {{ say(value); copy(value); }}
"""
FILES = {
    "net/Makefile": "obj-y += ipv4/\nsubdir-ccflags-$(CONFIG_NET_DEBUG) += -DEVERYWHERE -g\n",
    "net/ipv4/Makefile": """
obj-y := loud.o bare.o deep/ quiet.o
ccflags-$(CONFIG_TALK) := -DVERBOSE
ifdef CONFIG_MORE
CFLAGS_loud.o += -D LOUD=2 -I $(src)
endif
KASAN_SANITIZE_bare.o := n
""",
    "net/ipv4/deep/Makefile": "obj-y := low.o\n",
    "include/linux/debug.h": DEBUG,
    "net/ipv4/local.h": """
#ifndef _LOCAL_H
#define _LOCAL_H
static inline void beside(int value) { say(value); }
#endif
""",
    "net/ipv4/loud.c": USER.format(name="loud"),
    "net/ipv4/bare.c": USER.format(name="bare"),
    "net/ipv4/quiet.c": "#undef VERBOSE\n#define VERBOSE\n" + USER.format(name="quiet"),
    "net/ipv4/deep/low.c": USER.replace("local.h", "../local.h").format(name="low"),
}


@pytest.fixture(scope="module")
def graph(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(FILES)


def _callees(graph: CallGraph, caller: str, config: str = "") -> dict[str, str]:
    told = CallGraph(graph.file, Config.parse(config)) if config else graph
    (number,) = told.find(caller)
    return {edge.callee.name: edge.presence for edge in told.callees(number)}


def test_a_directory_a_file_and_what_lies_below_have_their_own() -> None:
    flags = Flags(lambda file: FILES[file].encode() if file in FILES else None)
    above = {"EVERYWHERE": "CONFIG_NET_DEBUG"}
    asked = {"__SANITIZE_ADDRESS__": "0", "__SANITIZE_HWADDRESS__": "0"}
    assert flags.of("net/ipv4/loud.c") == {**above, "VERBOSE": "CONFIG_TALK", "LOUD": "CONFIG_MORE"}
    assert flags.of("net/ipv4/bare.c") == {**above, "VERBOSE": "CONFIG_TALK", **asked}
    assert flags.of("net/ipv4/local.h") == {**above, "VERBOSE": "CONFIG_TALK"}
    assert flags.of("net/ipv4/deep/low.c") == above
    assert flags.of("include/linux/debug.h") == {}


@pytest.mark.parametrize("caller", ["loud", "bare", "beside"])
def test_a_flag_of_the_directory_decides_what_a_macro_makes(graph: CallGraph, caller: str) -> None:
    found = _callees(graph, caller)
    assert found["note"] == "!CONFIG_TALK"
    assert found["tell"] == "CONFIG_TALK"


def test_elsewhere_nobody_gives_it(graph: CallGraph) -> None:
    assert _callees(graph, "low")["note"] == ""


def test_a_definition_of_the_file_itself_counts(graph: CallGraph) -> None:
    assert "note" not in _callees(graph, "quiet")


def test_what_an_instrumentation_has_the_compiler_define(graph: CallGraph) -> None:
    with_kasan = "CONFIG_KASAN_GENERIC=y\nCONFIG_TALK=y\n"
    assert set(_callees(graph, "loud", with_kasan)) == {"tell", "careful"}
    assert set(_callees(graph, "bare", with_kasan)) == {"tell", "plainly"}
    assert set(_callees(graph, "low", with_kasan)) == {"note", "careful"}
    assert set(_callees(graph, "low", "CONFIG_TALK=y\n")) == {"note", "plainly"}


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize("symbols", [(), ("CONFIG_TALK",), ("CONFIG_MORE",), ("CONFIG_TALK", "CONFIG_MORE")])
def test_make_gives_the_same(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    rule = "\nall: ; @echo $(ccflags-y) $(CFLAGS_loud.o)\n"
    (tmp_path / "Makefile").write_text(FILES["net/ipv4/Makefile"] + rule)
    given = [f"{symbol}=y" for symbol in symbols]
    said = subprocess.run(["make", "-s", *given], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    made = {word.removeprefix("-D").split("=")[0] for word in said.replace("-D ", "-D").split() if word[:2] == "-D"}
    config = Config.parse("".join(f"{symbol}=y\n" for symbol in symbols) + "CONFIG_NET=y\n")
    flags = Flags(lambda file: FILES[file].encode() if file == "net/ipv4/Makefile" else None)
    assert {name for name, when in flags.of("net/ipv4/loud.c").items() if config.evaluate(when)} == made
