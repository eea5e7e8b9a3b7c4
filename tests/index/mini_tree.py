"""A small kernel tree for the tests of the index: of the kernel's shape, with as many files as a test asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KREAD = (sys.executable, "-c", "from kread.cli.main import main; main()")

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 9\nEXTRAVERSION =\n"

SHARED = """
#define __init __attribute__((__section__(".init.text")))
#define call_twice(f, x) do { f(x); f(x); } while (0)
struct thing { int (*act)(struct thing *thing); };
int shared(int value);
static inline int doubled(int value)
{
	return shared(value) + shared(value);
}
"""

SOURCE = """
#include <linux/thing.h>

static int act_{number}(struct thing *thing)
{{
	call_twice(shared, {number});
	return doubled({number});
}}

static struct thing thing_{number} = {{ .act = act_{number} }};

int use_{number}(void)
{{
	return thing_{number}.act(&thing_{number});
}}
"""


def make(root: Path, sources: int) -> Path:
    """A tree with this many sources, each with a function, a table and a call through it; returns its folder."""
    (root / "include/linux").mkdir(parents=True)
    (root / "net/ipv4").mkdir(parents=True)
    (root / "Makefile").write_text(MAKEFILE)
    (root / "net/ipv4/Makefile").write_text("obj-y := " + " ".join(f"file_{n}.o" for n in range(sources)) + "\n")
    (root / "include/linux/thing.h").write_text(SHARED)
    (root / "net/ipv4/shared.c").write_text("int shared(int value)\n{\n\treturn value;\n}\n")
    for number in range(sources):
        (root / f"net/ipv4/file_{number}.c").write_text(SOURCE.format(number=number))
    return root


def command(root: Path, *arguments: str) -> list[str]:
    """A command of kread on a tree, whole net/ipv4."""
    return [*KREAD, *arguments, "--release", str(root), "--scope", "net/ipv4"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a command with its own home."""
    return {**os.environ, "KREAD_HOME": str(home), **more}


def kread(root: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of kread on a tree."""
    return subprocess.run(
        command(root, *arguments), env=environment(home), capture_output=True, text=True, timeout=300, check=False
    )


def edges(root: Path, home: Path) -> str:
    """Every edge of a tree: what an index comes to."""
    done = kread(root, home, "edges")
    assert done.returncode == 0, done.stderr
    return done.stdout


def parsed(stderr: str) -> int:
    """How many files a command says that it parsed."""
    words = stderr.strip().splitlines()[-1].split()
    assert words[0] == "indexed", stderr
    return int(words[words.index("which") + 1].replace(",", ""))
