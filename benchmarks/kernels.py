"""Run a program of this checkout in the kernel that Debian has of a release, in an emulated machine.

    python benchmarks/kernels.py 6.12 benchmarks/live_scenarios.py --release 6.12
    python benchmarks/kernels.py 5.10 benchmarks/live_fuzz.py --release 5.10 --count 100

Theory of operation: this machine's own apt finds and downloads the package that has the release's kernel, of the flavour for
virtual machines, as `kread clone --from debian` does with the source; the image is taken out of it and kept below --work.
The program runs in it as benchmarks/emulate.py says, with kread, the benchmarks and whatever files and folders its arguments
name taken along. Ends with the program's exit code, or 2 where there is no such kernel, no emulator, or no end.

The kernel of a release is the newest that Debian has of it: `6.12.117` asks for that very one. In place of a release a
kernel image of one's own may be given, by its path.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from emulate import EmulatorError, run

from kread.errors import SourceError
from kread.source.debian import Apt, archives_to_ask
from kread.source.progress import Silent
from kread.source.releases import Name, parse_name

CHECKOUT = Path(__file__).resolve().parents[1]
#: The packages that hold an image, first choice first: where there is a linux-binary-*, linux-image-* only asks for it.
PREFIXES = ("linux-binary-", "linux-image-")
#: The flavour for virtual machines: all that a program needs is built in, and the package is small.
FLAVOUR = "-cloud-amd64"
KEPT = "vmlinuz-"


def image(release: str, work: Path) -> Path:
    """The kernel image of a release, from Debian's package of it; SourceError where there is none."""
    wanted = parse_name(release)
    if wanted is None:
        raise SourceError("no-such-release", f"{release} is neither a kernel image nor a name of a release")
    kept = [name for file in work.glob(f"{KEPT}*") if wanted.finds(name := _name(file.name.removeprefix(KEPT)))]
    if kept:
        return work / (KEPT + ".".join(map(str, max(kept, key=lambda name: name.order).numbers)))
    apt = Apt(work / "apt")
    for archives in archives_to_ask():
        apt.update(archives)
        names = [name for prefix in PREFIXES for name in apt.names(prefix) if name.endswith(FLAVOUR)]
        found = [each for each in apt.versions(names) if wanted.finds(_name(each.release))]
        if found:
            newest = [each for each in found if each.release == found[0].release]
            package = min(newest, key=lambda each: not each.name.startswith(PREFIXES[0]))
            return _taken_out(apt.download(package, Silent()), work / (KEPT + package.release.removeprefix("v")))
    raise SourceError("no-such-package", f"Debian has no kernel of the release {release}", where=apt.trouble)


def _name(text: str) -> Name:
    return parse_name(text) or Name((), text)


def _taken_out(package: Path, target: Path) -> Path:
    """The image in a package, as a file; the package is thrown away."""
    data = b""
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as unpacker,
        tarfile.open(fileobj=unpacker.stdout, mode="r|") as tar,
    ):
        for member in tar:
            if member.isreg() and Path(member.name).name.startswith("vmlinuz"):
                held = tar.extractfile(member)
                assert held is not None
                data = held.read()
    if not data:
        raise SourceError("bad-package", f"{package.name} holds no kernel image")
    target.write_bytes(data)
    package.unlink()
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("kernel", help="a release that Debian has, or the path of a kernel image")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "kread-kernels", help="keeps images")
    parser.add_argument("--seconds", type=int, default=3600, help="how long it may take, by this machine's clock")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="a Python program of this checkout and its arguments")
    given = parser.parse_args()
    if not given.program:
        parser.error("which program?")
    given.work.mkdir(parents=True, exist_ok=True)
    named = [Path(each).resolve() for each in given.program if Path(each).exists()]
    program = [str(Path(each).resolve()) if Path(each).exists() else each for each in given.program]
    along = [CHECKOUT / "kread", CHECKOUT / "benchmarks", *named]
    try:
        kernel = Path(given.kernel) if Path(given.kernel).is_file() else image(given.kernel, given.work)
        code = run(kernel, program, CHECKOUT, along, given.work / f"{kernel.name}.console", given.seconds)
    except (SourceError, EmulatorError) as error:
        print(error, file=sys.stderr)
        code = 2
    raise SystemExit(code)


if __name__ == "__main__":
    main()
