"""What the kernel's Makefiles define for the files of a directory, on the compiler's command line.

    ccflags-$(CONFIG_X) := -DNAME           for each file of the directory
    subdir-ccflags-$(CONFIG_X) += -DNAME    for those in the directories below it too
    CFLAGS_tcp.o := -DNAME                  for one of them
    KASAN_SANITIZE_tcp.o := n               no such instrumentation, so the compiler doesn't define what tells of it

(Documentation/kbuild/makefiles.rst, Documentation/dev-tools/kasan.rst.) A header in a directory is taken to be read by the
directory's own files. What is a value (`-DNAME=4`) counts as a definition; what hangs on other variables counts always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kread import presence
from kread.parse.kbuild import ASSIGNMENT, statements, suffix_condition

_DEFINED = re.compile(r"(?<!\S)-D\s*([A-Za-z_]\w*)")
_VARIABLE = re.compile(
    r"(?P<below>subdir-)?(?:ccflags-(?P<suffix>y|\$\(.*\))|EXTRA_CFLAGS|CFLAGS_(?P<object>[\w./-]+\.o))\Z"
)
_SANITIZED = re.compile(r"(?P<which>[A-Z]+_SANITIZE)(?:_(?P<object>[\w./-]+\.o))?\Z")

#: Name -> the condition under which it is given.
Given = dict[str, str]


class Flags:
    """The Makefiles of one tree, read for what they define. `read(file)` gives a file of the tree or None."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._directories: dict[str, dict[str, Given]] = {}
        self._above: dict[str, Given] = {"": {}}

    def of(self, file: str) -> Given:
        """The names that the build defines for a file, or never defines for it."""
        directory, _, name = file.rpartition("/")
        if not directory:
            return {}
        said = self._said(directory)
        parts = [self._below(directory), said.get("", {})]
        if name.endswith(".c"):
            parts.append(said.get(name[:-2] + ".o", {}))
        return _joined(parts)

    def _below(self, directory: str) -> Given:
        """What holds in a directory because it, or one above it, says so for all below."""
        known = self._above.get(directory)
        if known is None:
            above = self._below(directory.rpartition("/")[0])
            known = self._above[directory] = _joined([above, self._said(directory).get("/", {})])
        return known

    def _said(self, directory: str) -> dict[str, Given]:
        """What a directory's Makefile says: of an object, of all ("") and of what lies below too ("/")."""
        known = self._directories.get(directory)
        if known is None:
            names = (f"{directory}/{name}" for name in ("Kbuild", "Makefile"))
            data = next((data for data in map(self._read, names) if data is not None), b"")
            found: dict[str, Given] = {}
            if b"-D" in data or b"_SANITIZE" in data:
                _gather(data.decode("utf-8", "replace"), found)
            known = self._directories[directory] = found
        return known


def _gather(text: str, found: dict[str, Given]) -> None:
    for block, line in statements(text, opaque=True):
        assigned = ASSIGNMENT.match(line)
        if assigned is None:
            continue
        if variable := _VARIABLE.match(assigned[1]):
            place = variable["object"] or ("/" if variable["below"] else "")
            condition = presence.conj(block, suffix_condition(variable["suffix"] or "y"))
            given = dict.fromkeys(_DEFINED.findall(assigned[3]), condition)
        elif (variable := _SANITIZED.match(assigned[1])) and assigned[3].strip() == "n":
            place = variable["object"] or ""
            given = dict.fromkeys(presence.sanitizers(variable["which"]), presence.NEVER)
        else:
            continue
        found[place] = _joined([found.get(place, {}), given])


def _joined(parts: list[Given]) -> Given:
    """All that is given; of what several give, each is enough."""
    joined: Given = {}
    for part in parts:
        for name, condition in part.items():
            joined[name] = presence.disj(joined.get(name, presence.NEVER), condition)
    return joined


def given_names(flags: Mapping[str, Given]) -> frozenset[str]:
    """The names that the build defines for some of these files."""
    return frozenset(name for given in flags.values() for name, when in given.items() if when != presence.NEVER)


def settled(given: Given, names: frozenset[str]) -> dict[str, str]:
    """What the questions for these names come to in a file that the build gives some of them."""
    return {presence.ifdef(name): given.get(name, presence.NEVER) for name in sorted(names | given.keys())}
