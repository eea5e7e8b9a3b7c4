"""What the scope's own headers say of the names that conditions ask for.

`#ifdef __HAVE_ARCH_MEMCPY` is no question to a configuration: the architecture's header defines the name or none does.
A name that every reader of the scope has defined, or that nobody defines, is therefore decided for the release, and
vanishes from its conditions; a name defined under a condition stands for that condition, and one that is asked for its
value for the condition under which it is a number other than 0. Where all definitions of a
name stand under `#ifndef` of it, each is the first. What only the compiler, a Makefile or the file that includes a
header could define stays. A .c file's own definitions count for that file alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from kread import presence
from kread.parse.flags import Given, settled
from kread.parse.template import Macro

_DEFINED = re.compile(r"defined\((\w+)\)\Z")
_INTEGER = re.compile(r"\(?(?:0[xX][\da-fA-F]+|\d+)[uUlL]*\)?\Z")
_ZERO = re.compile(r"\(?0+(?:[xX]0+)?[uUlL]*\)?\Z")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")


class World:
    """Settles conditions.

    by_name -- the definitions of a name in the scope
    file    -- the .c file whose conditions these are, "" for those of headers
    flags   -- a file -> the names that its Makefile gives to the compiler, each with its condition
    given   -- the names that a Makefile gives to some file: only a file decides them
    """

    def __init__(
        self,
        by_name: Mapping[str, Sequence[Macro]],
        file: str = "",
        flags: Mapping[str, Given] | None = None,
        given: frozenset[str] = frozenset(),
    ) -> None:
        self._by_name = by_name
        self._file = file
        self._flags = flags or {}
        self._given = given
        self._known: dict[str, str | None] = {}
        self._settled: dict[str, str] = {"": "", "0": "0"}
        #: `defined(NAME)` of names that are defined only where they were not: those who ask `!defined(NAME)` are they.
        self._stand_ins: set[str] = set()

    def of(self, file: str, names: Sequence[str]) -> Callable[[str], str]:
        """What settles the conditions of a file; `names` are those that it defines itself."""
        given = settled(self._flags.get(file, {}), self._given)
        if not file.endswith(".c"):
            return (lambda text: self.settle(presence.replace_atoms(text, given))) if given else self.settle
        foreign = self._foreign.difference(names)
        asked = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)") if names else None
        own = World(self._by_name, file, given=self._given.difference(names))
        known: dict[str, str] = {}

        def settle(text: str) -> str:
            found = known.get(text)
            if found is None:
                found = own.settle(text) if asked is not None and asked.search(text) else text
                if given:
                    found = presence.replace_atoms(found, given)
                found = known[text] = self._without(foreign, self.settle(found))
            return found

        return settle

    def prepare(self) -> None:
        """Compute now what every source asks for: processes that are forked later share it."""
        self._foreign  # noqa: B018

    @cached_property
    def _foreign(self) -> frozenset[str]:
        """The names that .c files alone define: to any other file they are not defined."""
        return frozenset(
            name
            for name, macros in self._by_name.items()
            if macros and not presence.is_open(name) and all(macro.file.endswith(".c") for macro in macros)
        )

    def _without(self, foreign: frozenset[str], text: str) -> str:
        """A condition where none of these names is defined."""
        if "defined(" not in text:
            return text
        said = {
            atom: presence.NEVER
            for atom in presence.atoms(text)
            if (match := _DEFINED.match(atom)) and match[1] in foreign
        }
        return presence.replace_atoms(text, said) if said else text

    def settle(self, text: str) -> str:
        """The condition without what the definitions decide."""
        known = self._settled.get(text)
        if known is None:
            known = text
            decided: dict[str, str] = {}
            for atom in presence.atoms(text):
                condition = self._condition(atom)
                if condition is not None and condition != atom:
                    decided[atom] = condition
                    if atom in self._stand_ins:
                        known = known.replace(f"!{atom}", "1")
            if decided:
                known = presence.replace_atoms(known, decided)
            self._settled[text] = known
        return known

    def _condition(self, atom: str) -> str | None:
        """When an atom holds, or None where the definitions don't say."""
        if atom.startswith("CONFIG_"):
            return None
        match = _DEFINED.match(atom)
        name = match.group(1) if match else atom if _NAME.match(atom) else ""
        if not name or name.startswith("CONFIG_") or presence.is_open(name) or name in self._given:
            return None
        asked = atom if match else name
        if asked not in self._known:
            self._known[asked] = None  # while it is being asked: a name that depends on itself stays open
            macros = self._by_name.get(name, ())
            if not match:
                if not all(_INTEGER.match(macro.body) for macro in macros):
                    return None
                macros = [macro for macro in macros if _ZERO.match(macro.body) is None]
            self._known[asked] = self._definedness(macros, name)
        return self._known[asked]

    def _definedness(self, macros: Sequence[Macro], name: str) -> str | None:
        own = f"defined({name})"
        conditions: list[str] = []
        instead: list[str] = []
        for macro in macros:
            if macro.file.endswith(".c"):
                if not self._file:
                    return None
                if macro.file != self._file:
                    continue
            # A definition that stands in for a missing one says nothing about whether another is there.
            if own in presence.atoms(macro.presence):
                instead.append(presence.replace_atoms(macro.presence, {own: presence.NEVER}))
            else:
                conditions.append(self.settle(macro.presence))
        conditions = [condition for condition in conditions if condition != presence.NEVER]
        if instead and not conditions:
            self._stand_ins.add(own)
            conditions = [self.settle(condition) for condition in instead]
        if not conditions:
            return None if macros else presence.NEVER
        found = presence.disj(*conditions)
        asked = presence.atoms(found)
        known = all(atom.startswith("CONFIG_") or _DEFINED.match(atom) for atom in asked)
        return found if known and len(asked) <= _ATOMS and own not in asked else None


#: A name defined under a condition of more parts than this stays a name: its condition would say less than it does.
_ATOMS = 6
