"""The macros of a scope: who defines what, which definitions a file sees, and on what a file's reading depends.

Directives are read from every file before any is parsed, since how a file parses depends on the macros that its headers
define. The digest of a name covers its definitions in headers and those of the names in their bodies; the digest of a file's
macro names is the second half of the key under which its facts are kept.
"""

from __future__ import annotations

import hashlib
import marshal
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from kread import presence
from kread.index.closures import Closures
from kread.index.world import World
from kread.parse.conditional import conditions
from kread.parse.defines import Define, defines, includes
from kread.parse.flags import Given, given_names
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS

IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_WORD = re.compile(r"[A-Za-z_]\w*")

#: Macros nest about this deep at most (measured on 6.12: 14); a change further down would go unseen.
NESTING = 16

_MEMBER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\w+\])+")


#: A name before the first parenthesis of a line that begins at column 0, with a type before it or on the line above:
#: what declares a function looks like this.
_DECLARED = re.compile(rb"^[A-Za-z_](?:[^\n(=;]*[\s*]([A-Za-z_]\w*)[ \t]*\(|[\w \t*]*\n([A-Za-z_]\w*)[ \t]*\()", re.M)


class Head(NamedTuple):
    """A file's directives: what it includes and what it defines, each with its condition; and the names that stand
    where functions are declared."""

    includes: list[tuple[str, bool, str]]
    defines: list[tuple[str, tuple[str, ...] | None, str, int, int, str]]
    declared: list[str]


def read_head(data: bytes) -> bytes:
    """The packed directives of a file."""
    at = conditions(data).at
    found = [(*row, at(row.line)) for row in defines(data)]
    included = [(name, quoted, at(line)) for name, quoted, line in includes(data)]
    declared = sorted({(same or below).decode() for same, below in _DECLARED.findall(data)})
    return marshal.dumps((included, found, declared))


def unpack_head(data: bytes) -> Head:
    return Head(*marshal.loads(data))


class MacroIndex:
    """All definitions of a scope by name.

    heads     -- a file -> its packed directives: unpacked they would take ten times as much, and each is asked for once
    closures  -- a file -> the files that it includes
    presences -- a header that is read under a condition only -> that condition
    flags     -- a file -> what its Makefile defines on the compiler's command line
    """

    def __init__(
        self,
        heads: Mapping[str, bytes],
        closures: Closures,
        presences: Mapping[str, str],
        flags: Mapping[str, Given] | None = None,
    ) -> None:
        self.closures = closures
        self._heads = heads
        self._read = presences
        self.by_name: dict[str, list[Macro]] = defaultdict(list)
        #: name -> files that seem to declare a function of that name, of names that are macros too.
        declared: dict[str, set[str]] = defaultdict(set)
        for file in sorted(heads):
            for define, cond in self._defines(file):
                # A keyword stays one: what a configuration makes of it (to count branches, say) is of no interest.
                if cond != presence.NEVER and define.name not in KEYWORDS:
                    name, params, body, line, _ = define
                    self.by_name[name].append(Macro(name, params, body, file, line, cond))
        self._flags = flags or {}
        # Keeps the conditions as they are written.
        self.world = World(self.by_name, flags=self._flags, given=given_names(self._flags))
        self.by_name = {name: self._settled(found) for name, found in self.by_name.items()}
        self.presences = {file: self.world.settle(condition) for file, condition in presences.items()}
        for file in heads:
            for name in unpack_head(heads[file]).declared:
                if name in self.by_name:
                    declared[name].add(file)
        self._declared = declared
        #: Macros whose name a function has as well, where no definition of the macro holds.
        self.functions = frozenset(
            name
            for name, found in self.by_name.items()
            if name in declared and presence.disj(*(macro.presence for macro in found)) != presence.ALWAYS
        )

    def _settled(self, macros: list[Macro]) -> list[Macro]:
        if not any(macro.presence for macro in macros):
            return macros
        settled = (macro._replace(presence=self.world.settle(macro.presence)) for macro in macros)
        return [macro for macro in settled if macro.presence != presence.NEVER]

    def _defines(self, file: str) -> Iterator[tuple[Define, str]]:
        """The definitions of a file, each with its condition."""
        head = self._heads.get(file)
        read = self._read.get(file, presence.ALWAYS)
        for name, params, body, line, end_line, written in unpack_head(head).defines if head is not None else ():
            yield Define(name, params, body, line, end_line), presence.conj(read, written) if read else written

    def header_defines(self) -> Iterable[tuple[str, Define]]:
        """(file, definition) of every header, in file order: what the release's macro table is learned from."""
        for file in sorted(self._heads):
            if not file.endswith(".c"):
                for define in self.own_defines(file):
                    yield file, define

    def own_defines(self, file: str) -> list[Define]:
        """A file's own definitions, without those that are never: for C++, assembler or a checker."""
        unread = self.presences.get(file) == presence.NEVER
        return [define for define, cond in self._defines(file) if unread or cond != presence.NEVER]

    def seen_by(self, file: str, name: str) -> Sequence[Macro]:
        """The definitions of `name` that `file` can mean: its own and its headers', never another .c file's. One of its
        own that always holds hides the others. A header means what the sources that include it see."""
        found = self.by_name.get(name, ())
        if name in self._declared and not file.endswith(".c") and file in self._declared[name]:
            return [macro for macro in found if macro.file == file]  # where others have a macro, it has the function
        own = [macro for macro in found if macro.file == file]
        if own and presence.disj(*(macro.presence for macro in own)) == presence.ALWAYS:
            return own
        if len(found) == 1 and name not in self._declared and not found[0].file.endswith(".c"):
            return found
        seen = [
            macro
            for macro in found
            if macro.file == file or (not macro.file.endswith(".c") and self._sees(file, macro.file))
        ]
        if seen or name in self._declared:
            return seen
        return [macro for macro in found if not macro.file.endswith(".c")]

    def _sees(self, file: str, header: str) -> bool:
        """Whether a file includes a header, or a source that includes the file does."""
        closure = self.closures.get(file)
        if closure is not None:
            return header in closure
        sources = self.closures.includers(file)
        return not sources or bool(sources & self.closures.includers(header))

    def apart(self, file: str, mentioned: Iterable[str]) -> dict[str, list[str]]:
        """The macros among these names, and among those that their bodies lead to, that other headers define as well as
        those that the file can mean, each with the files that it can mean: two subsystems' ASSERT are not one."""
        leads = self._leads
        asked = frozenset().union(*(leads[name] for name in mentioned if name in leads))
        found = {}
        for name in sorted(asked):
            seen = self.seen_by(file, name)
            if len(seen) < len(self.in_headers(name)):
                found[name] = sorted({macro.file for macro in seen})
        return found

    @cached_property
    def _leads(self) -> dict[str, frozenset[str]]:
        """A name -> the macros, itself or in the bodies that it leads to, that several headers define which some source
        does not see together."""
        users: dict[str, list[str]] = defaultdict(list)
        for name, words in self._used.items():
            for word in words:
                users[word].append(name)
        found: dict[str, set[str]] = defaultdict(set)
        for name, macros in self.by_name.items():
            headers = {macro.file for macro in macros if not macro.file.endswith(".c")}
            if len(headers) < 2 or len(set(map(self.closures.includers, headers))) < 2:
                continue
            reached = {name}
            waiting = [name]
            while waiting:
                for user in users.get(waiting.pop(), ()):
                    if user not in reached:
                        reached.add(user)
                        waiting.append(user)
            for user in reached:
                found[user].add(name)
        return {name: frozenset(names) for name, names in found.items()}

    @cached_property
    def _used(self) -> dict[str, list[str]]:
        """name -> the macros that stand in the bodies of its definitions in headers, sorted."""
        by_name = self.by_name
        used: dict[str, list[str]] = {}
        for name, macros in by_name.items():
            bodies = [macro.body for macro in macros if not macro.file.endswith(".c")]
            mentioned = {word for body in bodies for word in _WORD.findall(body) if word in by_name} - {name}
            if mentioned:
                used[name] = sorted(mentioned)
        return used

    def shadows(self, name: str) -> bool:
        """Whether a name is a macro to some files and a function's to others."""
        return name in self._declared

    @cached_property
    def digests(self) -> dict[str, int]:
        """name -> digest of its definitions in headers and, through their bodies, of those that they use.

        Of what .c files define it counts that there is something: one's own definitions are in the file itself, and what
        another says is never read. Each round carries a change one level up. Hashes of tuples of integers are the same
        in every process.
        """
        by_name = self.by_name
        own: dict[str, int] = {}
        for name, macros in by_name.items():
            shared = [macro for macro in macros if not macro.file.endswith(".c")]
            rows = [(macro.params, macro.body, macro.file, macro.presence) for macro in shared]
            text = repr((name in self.functions, len(shared) < len(macros), rows))
            own[name] = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
        current = dict(own)
        for _ in range(NESTING):
            current.update(
                [(name, hash((own[name], *[current[word] for word in words]))) for name, words in self._used.items()]
            )
        return current

    def prepare(self) -> None:
        """Compute now what every reading asks for: processes that are forked later share it."""
        self.digests, self._spelled, self._leads  # noqa: B018
        self.world.prepare()

    def mentioned(self, data: bytes) -> list[str]:
        """The macro names that a file's text mentions, sorted."""
        return sorted(map(bytes.decode, self._spelled.intersection(IDENTIFIER.findall(data))))

    @cached_property
    def _spelled(self) -> frozenset[bytes]:
        """The macro names as files have them."""
        return frozenset(map(str.encode, self.by_name))

    def dependencies(
        self, names: Iterable[str], apart: Mapping[str, list[str]] | None = None, file: str | None = None
    ) -> str:
        """The digest of all macros on which the reading of a file with these names depends; `apart` are those that it
        keeps apart from others of their name. Without a file: of all files."""
        digests = self.digests
        flags = sorted(self._flags.items()) if file is None else sorted(self._flags.get(file, {}).items())
        text = repr([digests[name] for name in names]) + (repr(apart) if apart else "") + (repr(flags) if flags else "")
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def in_headers(self, name: str) -> Sequence[Macro]:
        """The definitions of a name in headers."""
        found = self.by_name.get(name, ())
        if any(macro.file.endswith(".c") for macro in found):
            return [macro for macro in found if not macro.file.endswith(".c")]
        return found

    def lookup(self, name: str) -> Sequence[Macro]:
        """The definitions of a name anywhere in the scope."""
        return self.by_name.get(name, ())

    def field_aliases(self, files: Container[str] | None = None) -> dict[str, str]:
        """name -> text of the object-like macros that stand for a member of a member: `sk_prot` -> `x.skc_prot`. Where
        files are given, macros of others don't count."""
        found: dict[str, str] = {}
        for name, macros in self.by_name.items():
            macro = next((each for each in macros if files is None or each.file in files), None)
            if macro is not None and macro.params is None and _MEMBER.fullmatch(macro.body):
                found[name] = macro.body
        return found
