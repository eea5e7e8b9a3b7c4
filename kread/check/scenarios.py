"""The scenarios that ship with kread, read and played under a release's policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from kread.model.play import Run, play
from kread.model.policy import Policy
from kread.model.script import Script, parse


@cache
def bundled() -> tuple[Script, ...]:
    """The scripts of kread/data/scenarios, by name."""
    from importlib.resources import files

    folder = files("kread.data") / "scenarios"
    scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".scn")), key=lambda file: file.name)
    return tuple(parse(file.read_text(encoding="utf-8"), file.name.removesuffix(".scn")) for file in scripts)


def play_all(policy: Policy, scripts: Iterable[Script] | None = None) -> Sequence[Run]:
    """Every scenario under a policy."""
    return [play(script, policy) for script in (bundled() if scripts is None else scripts)]
