"""The packet scripts that kread writes, given to a packetdrill: which it takes, and which of them a real kernel passes.

    python benchmarks/packet_scripts.py PACKETDRILL [--release 6.12] [--run [--longest SECONDS] [--at-once N]]

Without --run each script is read only (`PACKETDRILL --dry_run`). With it (root, Linux) each runs in a network namespace
of its own, those that wait longer than --longest are left out, and what fails runs once more, alone: a machine with
other work is late. A script says what one release does; the running kernel may be another.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kread.check.scenarios import bundled
from kread.data import load
from kread.model.policy import Policy, policies
from kread.render.packet_script import NotWritable, packet_script

#: How many seconds longer than its lines say a script may take before it hangs.
SPARE = 60
_TIME = re.compile(r"^ *\+?(?:[\d.]+~\+)?([\d.]+) ", re.M)


def written(policy: Policy, folder: Path) -> Iterator[Path]:
    """The files of all scenarios that can be written for a release."""
    for scenario in bundled():
        file = folder / f"{scenario.name}.{policy.name}.pkt"
        try:
            file.write_text(packet_script(scenario, policy), encoding="utf-8")
        except NotWritable:
            continue
        yield file


def seconds(file: Path) -> float:
    """How long a script takes at most, as its lines say."""
    return sum(float(time) for time in _TIME.findall(file.read_text(encoding="utf-8")))


def failure(command: list[str], file: Path) -> str:
    """What packetdrill says of a script, "" where it is content."""
    try:
        done = subprocess.run([*command, str(file)], capture_output=True, text=True, timeout=seconds(file) + SPARE)
    except subprocess.TimeoutExpired:
        return "hangs"
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packetdrill")
    parser.add_argument("--release", action="append")
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--longest", type=float, default=600.0)
    parser.add_argument("--at-once", type=int, default=4)
    asked = parser.parse_args()
    command = ["unshare", "-n", asked.packetdrill] if asked.run else [asked.packetdrill, "--dry_run"]
    known = policies(load("policies"))
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(asked.at_once) as pool:
        for release in asked.release or known:
            files = list(written(known[release], Path(name)))
            short = [file for file in files if not asked.run or seconds(file) <= asked.longest]
            said = dict(zip(short, pool.map(lambda file: failure(command, file), short), strict=True))
            if asked.run:
                said |= {file: failure(command, file) for file, why in said.items() if why}
            refused = {file: why for file, why in said.items() if why}
            print(f"{release}: {len(short) - len(refused)} of {len(short)}, {len(files) - len(short)} too long")
            for file, why in refused.items():
                print(f"  {file.name}: {why}")


if __name__ == "__main__":
    main()
