"""The scenarios on the kernel that this runs on, with longer waits than `kread check --live` takes time for.

    python benchmarks/kernels.py 6.12 benchmarks/live_scenarios.py --release 6.12
    python benchmarks/kernels.py 6.12 benchmarks/live_scenarios.py --release 6.12 tests/model/facts.toml DIR ...

Plays those that ship with kread, or those that are given: folders of *.scn, and tables of facts with a script each. Nothing
but the standard library is needed, no index either: the model follows the readings that the release's tree gave. It is made
for an emulated machine, whose clock leaps over waits. Exit code 1 where something differs, or nothing was run.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterable
from pathlib import Path

from kread.check.live import Bounds, LiveCheck, run_all
from kread.check.scenarios import bundled
from kread.data import load
from kread.model.policy import policies
from kread.model.script import Script, parse
from kread.model.socks import SECOND


def scripts(places: Iterable[Path]) -> list[Script]:
    """The scenarios of folders, and those of tables of facts."""
    found = []
    for place in places:
        if place.suffix == ".toml":
            rows = tomllib.loads(place.read_text(encoding="utf-8"))["fact"]
            texts = {f"{row['of']}: {row['says']}": row["script"] for row in rows if "script" in row}
            found += [parse(text if "\n" in text else text.replace("; ", "\n"), name) for name, text in texts.items()]
        else:
            files = sorted(place.glob("*.scn"))
            if not files:
                raise FileNotFoundError(f"{place}: no scenarios there")
            found += [parse(file.read_text(encoding="utf-8"), file.stem) for file in files]
    return found


def told(found: LiveCheck, every: bool) -> Iterable[str]:
    """What came of it, line by line."""
    events = sum(run.events for run in found.ran)
    yield f"Linux {found.kernel}, read as {found.policy}: {len(found.runs)} scenarios, {len(found.ran)} run, {events} events"
    for reason, number in found.reasons.most_common():
        yield f"  skipped {number:3}: {reason}"
    for run in found.runs if every else ():
        yield f"  {run.scenario}: {run.skipped or 'run'}"
    for run in found.otherwise:
        yield f"  {run.scenario}: does as {run.reading}"
    for run in found.differing:
        yield f"  {run.scenario}: {run.difference}"
    yield f"{len(found.differing)} differ"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--release", default="7.2", help="whose readings the model follows")
    parser.add_argument("--longest", type=int, default=20_000, help="the longest wait of a scenario, in seconds")
    parser.add_argument("--machine", action="store_true", help="the machine is ours: do without a user namespace")
    parser.add_argument("--every", action="store_true", help="tell of every scenario")
    parser.add_argument("places", nargs="*", type=Path, help="folders of scenarios, or tables of facts")
    given = parser.parse_args()
    # One at a time: where all wait, the clock of an emulated machine leaps, so nothing is gained by several.
    bounds = Bounds(given.longest * SECOND, events=2000, seconds=given.longest + 600, at_once=1, machine=given.machine)
    found = run_all(scripts(given.places) or list(bundled()), policies(load("policies"))[given.release], bounds)
    print("\n".join(told(found, given.every)), flush=True)
    raise SystemExit(0 if found.passed and found.ran else 1)


if __name__ == "__main__":
    main()
