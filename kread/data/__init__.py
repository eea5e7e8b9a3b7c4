"""What kread knows about releases and subsystems, as data: scopes, macros, reading paths, idioms.

Theory of operation: knowledge that cannot be derived from a tree stands in the TOML files beside this module, each
row with its reason, so that a new release or another subsystem needs a row and no code. `load` reads one file by its
name (`load("scopes")`, `load("paths/listen")`), from a checkout or from an installed wheel alike, and keeps it: a
command that asks twice parses once. The dict is shared between callers, who only read it.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def load(name: str) -> dict[str, Any]:
    """The content of kread/data/`name`.toml; FileNotFoundError where there is no such file."""
    import pkgutil
    import tomllib

    # pkgutil reads what the package's own loader can, and costs nothing at start; importlib.resources imports zipfile.
    found = pkgutil.get_data(__name__, f"{name}.toml")
    if found is None:
        raise FileNotFoundError(name)
    return tomllib.loads(found.decode())


def names(folder: str) -> tuple[str, ...]:
    """The names, as `load` takes them, of the files in kread/data/`folder`, sorted."""
    from importlib.resources import files

    here = files(__name__) / folder
    if not here.is_dir():
        return ()
    return tuple(sorted(f"{folder}/{file.name[:-5]}" for file in here.iterdir() if file.name.endswith(".toml")))
