"""A kernel configuration, and what it says of a presence condition.

Theory of operation. A .config names every symbol that is set; what it does not name is off. A condition is
evaluated in three values: True, False, and None where the configuration alone does not decide, because an atom
is no configuration symbol and nothing else known here gives its value. Known besides are the compiler's and the
architecture's constants (data/defines.toml, chosen by the configuration itself) and, where the caller hands them
over, the macros that the tree's headers define: then a name that no header defines is undefined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kread.errors import UsageError
from kread.presence import expression, logic
from kread.presence.logic import Condition, Group, Literal
from kread.presence.reading import SYMBOL, condition, defines

#: A macro's value may name a macro, and so on; headers nest such names less than ten deep.
MAX_EXPANSIONS = 16

_SET = re.compile(r"(CONFIG_\w+)=(.*)\Z")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set\Z")
_AND = " && "
_BRACKETS = re.compile(r"\([^()]*\)")
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Config:
    """A kernel configuration.

    file    -- where it was read
    values  -- symbol -> "y", "m", a number, or a string with its quotes; symbols that are off are not in it
    defined -- macro -> value, for the macros that the tree's headers define, function-like ones included
               (value ""); None: not known, so a macro that the configuration does not decide stays open
    """

    file: str
    values: Mapping[str, str]
    defined: Mapping[str, str] | None = None
    _known: dict[str, bool | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, path: str | Path, defined: Mapping[str, str] | None = None) -> Config:
        """The configuration in a file, plain or gzip-compressed. Raises UsageError with the line that is none."""
        import gzip  # here, because few commands are given a configuration
        import zlib

        try:
            data = Path(path).read_bytes()
            if data.startswith(_GZIP_MAGIC):
                data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
            raise UsageError(
                "unreadable-config",
                f"The configuration cannot be read: {reason}.",
                where=str(path),
                hint="Name a kernel .config, or a compressed one such as /proc/config.gz.",
            ) from error
        return cls.parse(data.decode("utf-8", "replace"), file=str(path), defined=defined)

    @classmethod
    def parse(cls, text: str, *, file: str = "", defined: Mapping[str, str] | None = None) -> Config:
        """The configuration that `text` holds; `file` names it in errors."""
        values: dict[str, str] = {}
        for number, line in enumerate(text.split("\n"), 1):
            line = line.rstrip()
            if match := _SET.match(line):
                if match[2] == "n":
                    values.pop(match[1], None)
                else:
                    values[match[1]] = match[2]
            elif match := _UNSET.match(line):
                values.pop(match[1], None)
            elif line and not line.startswith("#"):
                raise _no_config(f"{file}:{number}", f"The line is no setting: {line[:60]!r}.")
        if not values:
            raise _no_config(file, "The file sets no CONFIG_ symbol.")
        return cls(file, values, defined)

    def evaluate(self, presence: str) -> bool | None:
        """Whether `presence` holds; None where this configuration does not decide it."""
        try:
            return self._known[presence]
        except KeyError:
            self._known[presence] = result = self._undecided(presence)
            return result

    def compiles(self, presence: str) -> bool:
        """Whether what stands under `presence` can be compiled: it does not evaluate to False."""
        return self.evaluate(presence) is not False

    def _undecided(self, presence: str) -> bool | None:
        """What `evaluate` keeps. Conditions by the ten thousand are made of some hundred parts, and each is read once."""
        parts = _factors(presence)
        if len(parts) == 1:
            return self._condition(condition(presence))
        results = [self.evaluate(part) for part in parts]
        return False if False in results else None if None in results else True

    def _condition(self, value: Condition) -> bool | None:
        if isinstance(value, bool):
            return value
        if isinstance(value, Literal):
            result = self._atom(value.atom)
            return result if result is None or value.holds else not result
        assert isinstance(value, Group)
        deciding = value.operator == logic.OR
        results = [self._condition(part) for part in value.parts]
        if deciding in results:
            return deciding
        return None if None in results else not deciding

    def _atom(self, atom: str) -> bool | None:
        node = expression.read(atom)
        result = None if node is None else expression.evaluate(node, _Scope(self, 0))
        return None if result is None else bool(result)


def _factors(presence: str) -> list[str]:
    """The parts of a condition that all must hold, as they stand there; itself where an alternative comes first."""
    outside = presence
    while (without := _BRACKETS.sub("", outside)) != outside:
        outside = without
    if "||" in outside or "?" in outside:
        return [presence]
    found, part = [], ""
    for more in presence.split(_AND):
        part = f"{part}{_AND}{more}" if part else more
        if part.count("(") == part.count(")"):
            found.append(part)
            part = ""
    return found if not part else [presence]


def _no_config(where: str, what: str) -> UsageError:
    return UsageError(
        "not-a-config", what, where=where, hint="Name a kernel .config, such as /boot/config-$(uname -r)."
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """The names that a configuration knows, for expression.evaluate."""

    config: Config
    expansions: int

    def value(self, name: str) -> int | None:
        if SYMBOL.match(name):
            return self._symbol(name)
        text = self._macro(name)
        if text is None:
            return None if self._open(name) else 0
        node = expression.read(text) if self.expansions < MAX_EXPANSIONS else None
        if node is None:
            return None
        return expression.evaluate(node, _Scope(self.config, self.expansions + 1))

    def _symbol(self, name: str) -> int:
        """1 for y, m and strings, 0 for off; a number is itself, so a bare `#if CONFIG_NUMBER` asks for non-zero."""
        value = self.config.values.get(name)
        if value is None:
            return 0
        try:
            return int(value, 0)
        except ValueError:
            return 1

    def _macro(self, name: str) -> str | None:
        """The value of a macro, None where none is known."""
        if name in defines().always and name not in defines().open:
            return "1"
        for known, text, when in defines().values:
            if known == name and self.config.evaluate(when):
                return text
        return None if self.config.defined is None else self.config.defined.get(name)

    def _open(self, name: str) -> bool:
        """Whether a macro that has no known value may yet be defined."""
        if name in defines().never or any(known == name for known, _, _ in defines().values):
            return False
        return self.config.defined is None or name in defines().open

    def call(self, name: str, argument: str) -> int | None:
        kind = defines().asks.get(name)
        if kind is not None and SYMBOL.match(argument):
            value = self.config.values.get(argument)
            return int(value == "m" if kind == "module" else value not in (None, "m" if kind == "builtin" else None))
        if name != "defined":
            return None
        if argument in defines().always or self._macro(argument) is not None:
            return 1
        return None if self._open(argument) else 0
