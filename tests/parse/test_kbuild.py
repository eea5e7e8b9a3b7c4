"""The conditions of files against GNU make on the same Makefiles, and against what a compiler was given."""

from __future__ import annotations

import gzip
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kread.parse.kbuild import Kbuild, added_search
from kread.presence import Config

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "truth" / "6.12"

RELEASES = ("5.10", "6.1", "6.12", "7.2")
DIRECTORIES = (
    "net/core",
    "net/ipv4",
    "net/ipv6",
    "net/mptcp",
    "net/netfilter",
    "net/bridge",
    "net/sctp",
    "net/l2tp",
    "mm",
)


def _reader(root: Path) -> Callable[[str], bytes | None]:
    return lambda file: (root / file).read_bytes() if (root / file).is_file() else None


def _kbuild(**makefiles: str) -> Kbuild:
    """A tree of Makefiles; `net__ipv4` stands for net/ipv4/Makefile, `root` for the root's."""
    files = {
        ("" if name == "root" else name.replace("__", "/") + "/") + "Makefile": text.encode()
        for name, text in makefiles.items()
    }
    return Kbuild(files.get)


@pytest.mark.parametrize(
    ("makefile", "expected"),
    [
        ("obj-y := x.o", ""),
        ("obj-y := a.o \\\n  x.o b.o", ""),
        ("obj-$(CONFIG_X) += x.o", "CONFIG_X"),
        ("obj-${CONFIG_X} += x.o", "CONFIG_X"),
        ("obj-$(CONFIG_X) += $(obj)/x.o # y.o", "CONFIG_X"),
        ("obj-$(CONFIG_X) += x.o\nobj-$(CONFIG_Y) += x.o", "CONFIG_X || CONFIG_Y"),
        ("obj-$(CONFIG_X) += whole.o\nwhole-y := a.o x.o", "CONFIG_X"),
        ("obj-$(CONFIG_X) += whole.o\nwhole-objs := a.o x.o", "CONFIG_X"),
        ("obj-$(CONFIG_X) += whole.o\nwhole-$(CONFIG_Y) += x.o", "CONFIG_X && CONFIG_Y"),
        ("obj-$(CONFIG_X) += whole.o\nwhole-y += $(part-y)\npart-$(CONFIG_Y) := x.o", "CONFIG_X && CONFIG_Y"),
        ("obj-$(CONFIG_X) += $(PARTS)\nPARTS = x.o", "CONFIG_X"),
        ("obj-$(CONFIG_X) += whole.o\nwhole-y := $(addprefix ./,a.o x.o)", "CONFIG_X"),
        ("obj-$(subst m,y,$(CONFIG_X)) += x.o", "CONFIG_X"),
        ("obj-$(CONFIG_X:m=y) += x.o", "CONFIG_X"),
        ("obj-$(subst y,$(CONFIG_X),$(CONFIG_Y)) += x.o", "CONFIG_Y && CONFIG_X"),
        ("obj-$(or $(CONFIG_X),$(CONFIG_Y)) += x.o", "CONFIG_Y || CONFIG_X"),
        ("ifeq ($(CONFIG_X),y)\nobj-$(CONFIG_Y) += x.o\nendif", "CONFIG_X && CONFIG_Y"),
        ('ifeq "$(CONFIG_X)" "y"\nobj-y += x.o\nendif', "CONFIG_X"),
        ("ifeq ($(CONFIG_X),m)\nobj-y += x.o\nendif", "IS_MODULE(CONFIG_X)"),
        ("ifneq ($(CONFIG_X),)\nobj-y += x.o\nendif", "CONFIG_X"),
        ("ifneq ($(CONFIG_X)$(CONFIG_Y),)\nobj-y += x.o\nendif", "CONFIG_X || CONFIG_Y"),
        ("ifeq ($(CONFIG_X)$(CONFIG_Y),yy)\nobj-y += x.o\nendif", "CONFIG_X && CONFIG_Y"),
        ("ifdef CONFIG_X\nelse\nobj-y += x.o\nendif", "!CONFIG_X"),
        ("ifndef CONFIG_X\nobj-y += x.o\nendif", "!CONFIG_X"),
        (
            "ifdef CONFIG_X\nobj-y += a.o\nelse ifdef CONFIG_Y\nobj-y += x.o\nelse\nobj-y += b.o\nendif",
            "!CONFIG_X && CONFIG_Y",
        ),
        ("ifeq ($(ARCH),um)\nobj-y += x.o\nendif", "make(ARCH um)"),
        ("obj- += x.o", "0"),
        ("obj-y += x.o\nobj-y := a.o", "0"),
        ("obj-y = x.o\nobj-y += a.o", ""),
        ("obj-y := whole.o\nwhole-y = x.o\nwhole-$(CONFIG_X) = a.o", "!CONFIG_X"),
        ("obj-y := whole.o\nwhole-y := x.o\nwhole-objs := a.o", ""),
        ("hostprogs := x\nx-objs := x.o", ""),
        ("whole-y := x.o part.o\npart-y := whole.o", ""),
        ("obj-y := other.o", ""),
    ],
)
def test_what_a_makefile_says_of_x(makefile: str, expected: str) -> None:
    assert _kbuild(net=makefile).presence("net/x.c") == expected


def test_a_variable_within_the_name_of_an_object_hangs_on_the_configuration() -> None:
    made = _kbuild(net="obj-$(CONFIG_X) += a.o \\\n  x_$(BITS).o y.o")
    assert made.presence("net/x_64.c") == "CONFIG_X && CONFIG_64BIT"
    assert made.presence("net/x_32.c") == "CONFIG_X && !CONFIG_64BIT"
    assert made.presence("net/y.c") == "CONFIG_X"


def test_directories_add_their_conditions_up_to_the_root() -> None:
    kbuild = _kbuild(
        root="ifeq ($(KBUILD_EXTMOD),)\ndrivers-y += drivers/\ncore-$(CONFIG_NET) += net/\nendif",
        net="obj-$(CONFIG_INET) += ipv4/ core/sock.o\nobj-$(CONFIG_DEEP) += deep/down/",
        net__ipv4="obj-y := tcp.o\nobj-$(CONFIG_NETFILTER) += netfilter/",
        net__ipv4__netfilter="obj-$(CONFIG_NF_NAT) += nat.o",
        net__deep__down="obj-y += well.o",
    )
    assert kbuild.presence("net/ipv4/tcp.c") == "CONFIG_NET && CONFIG_INET"
    assert (
        kbuild.presence("net/ipv4/netfilter/nat.c") == "CONFIG_NET && CONFIG_INET && CONFIG_NETFILTER && CONFIG_NF_NAT"
    )
    assert kbuild.presence("net/core/sock.c") == "CONFIG_NET && CONFIG_INET"
    assert kbuild.presence("net/deep/down/well.c") == "CONFIG_NET && CONFIG_DEEP"
    assert kbuild.presence("net/ipv4/tcp.h") == ""
    assert kbuild.presence("nowhere/file.c") == ""


@pytest.mark.parametrize(
    ("makefile", "expected"),
    [
        ("ccflags-y += -I $(src)/lib -DDEBUG\n", ("net/x/lib",)),
        ("CFLAGS_trace.o := -I$(src)\n", ("net/x",)),
        ("CFLAGS_core.o += -I$(src)/$(SRCARCH)\n", ("net/x/x86",)),
        (
            "subdir-ccflags-$(CONFIG_X) += -I$(srctree)/$(src)/include \\\n\t-I${srctree}/drivers/y\n",
            ("net/x/include", "drivers/y"),
        ),
        ("ccflags-y += -I$(OTHER)/lib # -I$(src)/no\nobj-y += -I.o\nMYFLAGS = -I$(src)/no\n", ()),
    ],
)
def test_the_directories_that_a_makefile_adds_to_the_search(makefile: str, expected: tuple[str, ...]) -> None:
    assert added_search(makefile, "net/x") == expected


def _symbols(text: str) -> list[str]:
    return sorted(set(re.findall(r"CONFIG_\w+", text)))


def _configurations(symbols: list[str], choose: random.Random) -> Iterator[list[str]]:
    yield []
    yield symbols
    for share in (0.3, 0.6, 0.9):
        yield [symbol for symbol in symbols if choose.random() < share]


#: Prints the objects that make finds in a Makefile, each composite one with its parts.
WRAPPER = """
include {makefile}
wanted := $(obj-y) $(obj-m) $(lib-y)
parts = $($(1:.o=-objs)) $($(1:.o=-y)) $($(1:.o=-m))
print: ; @echo $(wanted) $(foreach object,$(wanted),$(call parts,$(object)))
.DEFAULT_GOAL := print
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="no GNU make; to enable, install make")
@pytest.mark.parametrize("release", RELEASES)
def test_each_object_is_made_when_make_says_so(tree: Callable[[str], Path], release: str, tmp_path: Path) -> None:
    root, choose, compared = tree(release), random.Random(6), 0
    for directory in DIRECTORIES:
        makefile = root / directory / "Makefile"
        if not makefile.is_file():
            continue
        kbuild = Kbuild(lambda file, only=directory + "/Makefile": _reader(root)(file) if file == only else None)
        for symbols in _configurations(_symbols(makefile.read_text()), choose):
            wrapper = tmp_path / "Makefile"
            wrapper.write_text("".join(f"{name} := y\n" for name in symbols) + WRAPPER.format(makefile=makefile))
            run = subprocess.run(
                ["make", "-s", "-f", str(wrapper), "print"], capture_output=True, text=True, check=True, cwd=tmp_path
            )
            made = set(run.stdout.split())
            config = Config.parse("CONFIG_ALWAYS=y\n" + "".join(f"{name}=y\n" for name in symbols))
            for file in sorted((root / directory).glob("*.c")):
                if f"{file.stem}.o" not in makefile.read_text():
                    continue
                condition = kbuild.presence(f"{directory}/{file.name}")
                assert config.evaluate(condition) is (f"{file.stem}.o" in made), (file, condition, symbols)
                compared += 1
    assert compared > 1000


@pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no compiler's truth; to enable, put it in {TRUTH}")
def test_the_files_that_a_compiler_was_given(tree: Callable[[str], Path]) -> None:
    root = tree("6.12")
    with gzip.open(TRUTH / "net-ipv4.tus.tsv.gz", "rt") as lines:
        compiled = {line.split("\t")[0] for line in list(lines)[1:]}
    kbuild, config = Kbuild(_reader(root)), Config.read(TRUTH / "config")
    files = sorted(str(file.relative_to(root)) for file in (root / "net/ipv4").rglob("*.c"))
    found = {file for file in files if config.evaluate(kbuild.presence(file))}
    assert found == compiled
    assert len(compiled) == 124
    assert all(config.evaluate(kbuild.presence(file)) is not None for file in files)


LINES = st.sampled_from(
    [
        *("obj-y += x.o", "obj-$(CONFIG_A) += x.o \\", "x-y := x.o $(x-y)", "y-y := $(x-y) x.o", "= x.o"),
        *("ifeq ($(CONFIG_A),y)", "ifeq (", "ifdef", "else", "endif", "else ifdef B", "\t@echo $$x"),
        *("$(" * 30, "${", "a-$(b", "obj-$(subst", "(" * 40),
    ]
)


@given(st.one_of(st.lists(LINES).map("\n".join).map(str.encode), st.binary(max_size=200)))
def test_any_makefile_is_read(makefile: bytes) -> None:
    kbuild = Kbuild(lambda file: makefile)
    condition = kbuild.presence("net/x.c")
    assert isinstance(condition, str)
    assert kbuild.presence("net/x.c") == condition
