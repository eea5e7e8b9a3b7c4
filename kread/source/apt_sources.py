"""The archives of packages that this machine's apt is set up for, and the further suites that they offer.

Theory of operation: apt reads two formats, one line per archive (`sources.list`, `*.list`) and stanzas of fields
(`*.sources`). Both become stanzas here. Those that name a suite of Debian lend their URI and their key to the other
suites of Debian, so that a release is found which the machine's own suite does not have; the machine's own settings
are only read, never written. Which suites there are stands in kread/data/scopes.toml.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>[^#]*)")

#: How an option of the one-line format is called in the other.
_OPTION_NAMES = {
    "signed-by": "Signed-By",
    "arch": "Architectures",
    "trusted": "Trusted",
    "check-valid-until": "Check-Valid-Until",
}

_SECURITY = "-security"


@dataclass(frozen=True, slots=True)
class Archive:
    """A place that packages come from: one URI with its suites, and the rest of its fields as they stand."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def stanza(self) -> str:
        """This archive in the format of a `*.sources` file."""
        lines = ["Types: deb", f"URIs: {self.uri}", f"Suites: {' '.join(self.suites)}"]
        if self.components:
            lines.append(f"Components: {' '.join(self.components)}")
        lines += [f"{name}: {value}" for name, value in self.fields]
        return "\n".join(lines) + "\n"


def read_archives(etc: Path = Path("/etc/apt")) -> list[Archive]:
    """The archives that are enabled in the apt settings below `etc`, in apt's order."""
    found: list[Archive] = []
    files = [etc / "sources.list"]
    parts = etc / "sources.list.d"
    if parts.is_dir():
        files += sorted(file for file in parts.iterdir() if file.suffix in {".list", ".sources"})
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found += _stanzas(text) if file.suffix == ".sources" else _lines(text)
    return found


def debian_archives(archives: list[Archive], codenames: list[str]) -> list[Archive]:
    """Those of `archives` that name a suite of Debian ("bookworm", "trixie-security", ...)."""
    return [archive for archive in archives if any(_codename(suite) in codenames for suite in archive.suites)]


def further_suites(archives: list[Archive], rows: list[dict[str, Any]]) -> list[Archive]:
    """The suites of `rows` that `archives` (of Debian) leave out, at the URI and with the key of one of them."""
    here = {suite for archive in archives for suite in archive.suites}
    plain = [archive for archive in archives if not _is_security(archive)]
    security = [archive for archive in archives if _is_security(archive)]
    found: list[Archive] = []
    for row in rows:
        suite = str(row["name"])
        if suite in here:
            continue
        if not suite.endswith(_SECURITY):
            model = plain[0] if plain else None
        elif security:
            model = security[0]
        else:
            # The security archive lies beside the main one, on Debian's own hosts and on their mirrors.
            uri = plain[0].uri.rstrip("/") if plain else ""
            model = replace(plain[0], uri=uri + _SECURITY) if uri.endswith("/debian") else None
        if model is not None:
            found.append(replace(model, suites=(suite,), components=("main",)))
    return found


def _codename(suite: str) -> str:
    return re.split(r"[-/]", suite, maxsplit=1)[0]


def _is_security(archive: Archive) -> bool:
    return any(suite.endswith((_SECURITY, "/updates")) for suite in archive.suites)


def _lines(text: str) -> list[Archive]:
    found = []
    for line in text.splitlines():
        if match := _ONE_LINE.match(line.strip()):
            pairs = [pair.split("=", 1) for pair in (match["options"] or "").split() if "=" in pair]
            fields = tuple(
                (_OPTION_NAMES[name.lower()], value.replace(",", " "))
                for name, value in pairs
                if name.lower() in _OPTION_NAMES
            )
            found.append(Archive(match["uri"], (match["suite"],), tuple(match["components"].split()), fields))
    return found


def _stanzas(text: str) -> list[Archive]:
    found = []
    for block in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in {" ", "\t"} and name:
                fields[name] += "\n" + line  # a key may be written out over many lines
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        rest = tuple(
            (key, fields[key]) for key in fields if key not in {"types", "uris", "suites", "components", "enabled"}
        )
        suites, components = tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split())
        found += [Archive(uri, suites, components, rest) for uri in fields.get("uris", "").split() if suites]
    return found
