"""Which configuration compiles a file: the lists of objects in the kernel's Makefiles.

Theory of operation. A directory's Kbuild file (or Makefile) is read into mentions: "list `obj` names `tcp.o` under
this condition". The condition is the list's suffix (`obj-$(CONFIG_X)`) together with the ifeq/ifdef blocks around it.
A file is compiled where its object is mentioned in a list that the build descends into (`obj`, `lib`, ...), or in
the list of a composite object (`tcp-y`, `tcp-objs`, `tcp-$(CONFIG_X)`) that itself is compiled, or in a variable that
such a list names. The same holds for its directory, mentioned as `ipv4/` in the Makefile above, up to the root; what
several mentions give are alternatives.

The language of make is not run. Functions around symbols read as what they are used for: `$(subst m,y,$(CONFIG_X))`
asks for CONFIG_X, `$(subst y,$(CONFIG_A),$(CONFIG_B))` for both. `ifeq ($(CONFIG_X),y)` reads as CONFIG_X. A variable
within an object's name has the values of data/defines.toml, each under its condition. What depends on other variables is
an atom `make(...)`, which no configuration decides.

A file that no list of the build mentions has the condition "" (always): it is included by another file, or its rule is
beyond this reading, and nothing is known of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kread import presence

#: Lists whose members are compiled. In the root directory the build has more (Documentation/kbuild/makefiles.rst).
_COMPILED = ("obj", "lib", "extra")
_COMPILED_IN_ROOT = (*_COMPILED, "core", "drivers", "libs", "net", "virt", "init")

_SOURCE = re.compile(r"\.[cS]\Z")
_CONTINUED = re.compile(r"\\\r?\n[ \t]*")
_BRACED = re.compile(r"\$\{([^{}]*)\}")
_COMMENT = re.compile(r"(?<!\\)#.*")
_REFERENCE = r"\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
ASSIGNMENT = re.compile(rf"\s*(?:export\s+|override\s+)?((?:[\w./%-]|{_REFERENCE})+)\s*(\+|:{{0,3}}|\?)=(.*)", re.S)
_CONDITIONAL = re.compile(r"\s*(else\s+)?(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)")
_ELSE = re.compile(r"\s*else\b")
_ENDIF = re.compile(r"\s*endif\b")
_SUFFIXED = re.compile(r"(.+?)-(y|m|n|objs|\$\(.*\)|)\Z")
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(["'])(.*?)\3""")
_SYMBOL = re.compile(r"CONFIG_\w+")
_ONLY_SYMBOLS = re.compile(r"(?:\$\(CONFIG_\w+\))+\Z")
_PREFIXED = re.compile(r"\$\(addprefix\s+([^,()]+),((?:[^()]|\$\([^()]*\))*)\)")
_OWN_DIRECTORY = re.compile(r"\$\((?:obj|src)\)/")
_WORD = re.compile(r"\$\(([\w.-]+)\)|([\w./+-]+\.o|[\w./-]+/)(?=\s|\Z)")
_PLAIN = re.compile(r"[^\w.=!-]+")


#: Flags of the compiler for the objects of a directory, or for one of them.
_FLAGS = re.compile(r"(?:(?:subdir-)?ccflags|CFLAGS|EXTRA_CFLAGS)(?:[-_]|\Z)")
_ADDED = re.compile(r"-I\s*(\S+)")
_ROOT = re.compile(r"\$\(srctree\)/")
_HERE = re.compile(r"(?:\$\(srctree\)/)?\$\((?:src|obj)\)")

#: What a list's members become part of: the object that is linked from them, and what names the list as a variable.
_HOLDERS = ("{}.o", "${}")


class _Mention(NamedTuple):
    """Where a word (an object, a directory with its `/`, a variable) stands: in which list, under which condition."""

    word: str
    list: str
    suffix: str
    condition: str


class _Makefile:
    """The mentions of one directory's Makefiles."""

    def __init__(self, texts: list[str], *, root: bool) -> None:
        self._compiled = _COMPILED_IN_ROOT if root else _COMPILED
        self._mentions: dict[str, list[_Mention]] = defaultdict(list)
        lists: dict[str, list[_Mention]] = defaultdict(list)
        for text in texts:
            for block, line in statements(text, opaque=not root):
                if match := ASSIGNMENT.match(line):
                    suffixed = _SUFFIXED.match(match[1])
                    stem, suffix = (suffixed[1], suffixed[2] or "n") if suffixed else (match[1], "")
                    _assign(lists[stem], stem, suffix, block, match[2], match[3])
        for mentions in lists.values():
            for mention in mentions:
                self._mentions[mention.word].append(mention)

    def condition(self, word: str, above: frozenset[str] = frozenset()) -> str | None:
        """When `word` is compiled or descended into; None where no list of the build mentions it."""
        found: list[str] = []
        for mention in self._mentions.get(word, ()):
            if mention.list in self._compiled:
                found.append(mention.condition)
            elif mention.list not in above:
                outer = (self.condition(target.format(mention.list), above | {mention.list}) for target in _HOLDERS)
                found.extend(presence.conj(each, mention.condition) for each in outer if each is not None)
        return presence.disj(*found) if found else None


def _assign(mentions: list[_Mention], stem: str, suffix: str, block: str, sign: str, value: str) -> None:
    """Add the words of an assignment to the mentions of its list.

    Where it is no `+=`, it takes the place of what the same variable held before: one of the same suffix, or `-y` where
    a symbol chooses the variable (`mmu-y := nommu.o`, `mmu-$(CONFIG_MMU) := highmem.o`).
    """
    condition = presence.conj(block, suffix_condition(suffix))
    if sign not in ("+", "?"):
        for index, mention in enumerate(mentions):
            if mention.suffix == suffix or (mention.suffix == "y" and suffix.startswith("$")):
                left = presence.conj(mention.condition, presence.negate(condition))
                mentions[index] = mention._replace(condition=left)
    for text, when in _spelled_out(value):
        both = presence.conj(condition, when)
        mentions.extend(_Mention(word, stem, suffix, both) for word in _words(text))


def _spelled_out(value: str) -> Iterator[tuple[str, str]]:
    """A list's value with the variables within its words put in, and when they are so (`entry_$(BITS).o`)."""
    for name, text, when in presence.make_values():
        reference = f"$({name})"
        words = [word for word in value.split() if reference in word] if reference in value else ()
        yield from ((word.replace(reference, text), when) for word in words)
    yield value, presence.ALWAYS


class Kbuild:
    """The Makefiles of one tree."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """`read(file)` gives a file of the tree, by its path from the root, or None where there is none."""
        self._read = read
        self._makefiles: dict[str, _Makefile] = {}
        self._directories: dict[str, str] = {"": presence.ALWAYS}

    def presence(self, c_file: str) -> str:
        """The condition under which the .c (or .S) file is compiled; "" where no Makefile mentions it."""
        if not _SOURCE.search(c_file):
            return presence.ALWAYS
        return self._mentioned(c_file[:-2] + ".o", c_file.rpartition("/")[0])

    def _mentioned(self, target: str, directory: str) -> str:
        """When `target` is made, by the mentions in `directory` and those above it."""
        found: str | None = None
        while True:
            word = target[len(directory) + 1 :] if directory else target
            condition = self._makefile(directory).condition(word)
            if condition is not None:
                condition = presence.conj(self._directory(directory), condition)
                found = condition if found is None else presence.disj(found, condition)
            if not directory:
                break
            directory = directory.rpartition("/")[0]
        return presence.ALWAYS if found is None else found

    def _directory(self, directory: str) -> str:
        """When the build descends into `directory`."""
        if directory not in self._directories:
            above = directory.rpartition("/")[0]
            self._directories[directory] = self._mentioned(f"{directory}/", above)
        return self._directories[directory]

    def _makefile(self, directory: str) -> _Makefile:
        if directory not in self._makefiles:
            names = [f"{directory}/{name}".lstrip("/") for name in ("Kbuild", "Makefile")]
            texts = [data.decode("utf-8", "replace") for data in map(self._read, names) if data is not None]
            self._makefiles[directory] = _Makefile(texts if not directory else texts[:1], root=not directory)
        return self._makefiles[directory]


def added_search(makefile: str, directory: str) -> tuple[str, ...]:
    """The directories, from the tree's root, that the Makefile of `directory` adds to the search for headers
    (`ccflags-y += -I $(src)/lib`), whatever the condition; those that hang on other variables are left out."""
    assigned = (ASSIGNMENT.match(line) for _, line in statements(makefile, opaque=True))
    flags = (match[3] for match in assigned if match and _FLAGS.match(match[1]))
    added = (_ROOT.sub("", _HERE.sub(directory, path)) for value in flags for path in _ADDED.findall(value))
    return tuple(path for each in added for path, _ in _spelled_out(each) if "$" not in path)


def statements(text: str, *, opaque: bool) -> Iterator[tuple[str, str]]:
    """Each line that is no conditional, with the condition of the blocks around it.

    `opaque` -- whether a condition on other variables than symbols counts. In the root Makefile it does not: those
    tell one run of make from another, and the build of the kernel is the one that is asked about.
    """
    blocks: list[tuple[str, str, str]] = []  # around the block, left by its branches so far, of the branch at hand
    for line in _BRACED.sub(r"$(\1)", _CONTINUED.sub(" ", text)).split("\n"):
        line = _COMMENT.sub("", line)
        current = blocks[-1][2] if blocks else presence.ALWAYS
        if match := _CONDITIONAL.match(line):
            if match[1] and blocks:
                around, left, _ = blocks.pop()
            else:
                around, left = current, presence.ALWAYS
            asked = _asked(match[2], match[3].strip(), opaque=opaque)
            rest = presence.negate(asked) if asked else presence.ALWAYS
            blocks.append((around, presence.conj(left, rest), presence.conj(around, left, asked)))
        elif _ELSE.match(line):
            if blocks:
                around, left, _ = blocks.pop()
                blocks.append((around, presence.NEVER, presence.conj(around, left)))
        elif _ENDIF.match(line):
            if blocks:
                blocks.pop()
        elif line.strip():
            yield current, line


def _asked(directive: str, argument: str, *, opaque: bool) -> str:
    """The condition of an ifeq, ifneq, ifdef or ifndef; "" where it is opaque and that does not count."""
    holds = directive in ("ifeq", "ifdef")
    condition = _defined(argument) if directive.endswith("def") else _equal(argument)
    if condition is None:
        words = _PLAIN.sub(" ", argument).strip()
        condition = f"make({words})" if opaque else presence.ALWAYS
        return condition if holds or not opaque else presence.negate(condition)
    return condition if holds else presence.negate(condition)


def _defined(name: str) -> str | None:
    return presence.ifdef(name) if _SYMBOL.fullmatch(name) else None


def _equal(argument: str) -> str | None:
    """The condition that the two sides of an ifeq are equal, None where it is not one on symbols alone."""
    quoted = _QUOTED.match(argument)
    left, right = (quoted[2], quoted[4]) if quoted else _sides(argument)
    if not _SYMBOL.search(left) and _SYMBOL.search(right):
        left, right = right, left
    symbols = _SYMBOL.findall(left)
    if not symbols or (right and right.strip("ym")):
        return None
    if not right:
        return presence.negate(presence.disj(*symbols))
    if len(symbols) == 1 and right in ("y", "m"):
        return presence.from_directive(f"defined({symbols[0]}_MODULE)") if right == "m" else symbols[0]
    if len(symbols) == len(right) and _ONLY_SYMBOLS.match(left):
        return presence.conj(*symbols)
    return None


def _sides(argument: str) -> tuple[str, str]:
    """`(left,right)` cut at its outermost comma."""
    inner = argument.strip().removeprefix("(").rstrip().removesuffix(")")
    depth = 0
    for index, character in enumerate(inner):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            return inner[:index].strip(), inner[index + 1 :].strip()
    return inner.strip(), ""


def suffix_condition(suffix: str) -> str:
    """The condition of a list's suffix; "n" is what a symbol that is off leaves."""
    if not suffix.startswith("$"):
        return presence.NEVER if suffix == "n" else presence.ALWAYS
    symbols = list(dict.fromkeys(reversed(_SYMBOL.findall(suffix))))
    if symbols:
        return presence.disj(*symbols) if suffix.startswith("$(or ") else presence.conj(*symbols)
    return f"make({_PLAIN.sub(' ', suffix).strip()})"


def _words(value: str) -> Iterator[str]:
    """Objects, directories and, as `$stem`, the variables that a list's value names."""
    value = _OWN_DIRECTORY.sub("", value)
    for match in _PREFIXED.finditer(value):
        yield from (f"{match[1].strip()}{word}".removeprefix("./") for word in _words(match[2]) if word[0] != "$")
    for match in _WORD.finditer(_PREFIXED.sub(" ", value)):
        if match[1]:
            suffixed = _SUFFIXED.match(match[1])
            yield f"${suffixed[1] if suffixed else match[1]}"
        else:
            yield match[2].removeprefix("./")
