"""What all tests share: kernel trees, one index of a real release, and kread as a user runs it.

Fixture `tree` finds or fetches a release, or skips saying how to enable it.

Looked for, in this order: a folder in KREAD_TEST_TREES (`linux-source-X.Y`, `linux-X.Y` or `X.Y` in it); what
`get-tree X.Y` prints, where that tool lies beside the checkout; and for 6.12 kread's own fetch, into a cache that the
next run of the tests uses again.

Fixture `indexed_home` is a home with the index of 6.12's default scope, built once for all tests (in KREAD_TEST_HOME,
where that is set: the next run then finds it); `graph` is its call graph, and `kread` runs a command in that home.
Fixture `graph_of` gives the call graph of any of the releases, `graph_of_files` that of a few files written in a test.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from kread.graph.callgraph import CallGraph

# The same examples in every run, and no clock: a loaded machine must not fail a property. By hand, look further
# with --hypothesis-seed=random or --hypothesis-profile=default.
settings.register_profile("kread", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kread")

REPOSITORY = Path(__file__).resolve().parent.parent
GET_TREE = REPOSITORY.parent / "shared" / "tools" / "get-tree"

#: Fetching a package of 150 MB from a slow mirror.
GET_TREE_SECONDS = 1800

#: Where the headline query is asked: always tried, because kread itself can fetch it.
FETCHED_BY_KREAD = "6.12"


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kread-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _given(release: str) -> Path | None:
    base = os.environ.get("KREAD_TEST_TREES")
    for name in (f"linux-source-{release}", f"linux-{release}", release):
        if base and (Path(base) / name / "Makefile").is_file():
            return Path(base) / name
    return None


def _from_tool(release: str) -> Path | None:
    if not GET_TREE.is_file():
        return None
    with open(Path(tempfile.gettempdir()) / "kread-get-tree.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of the tests must not unpack one tree twice
        done = subprocess.run(
            [str(GET_TREE), release], capture_output=True, text=True, timeout=GET_TREE_SECONDS, check=False
        )
    folder = done.stdout.strip().splitlines()[-1:]
    return Path(folder[0]) if done.returncode == 0 and folder else None


def _from_kread(release: str) -> tuple[Path | None, str]:
    from kread.errors import KreadError
    from kread.source.fetch import obtain

    before = os.environ.get("KREAD_HOME")
    os.environ["KREAD_HOME"] = str(_cache() / "home")
    try:
        return obtain(f"v{release}", source="debian").root, ""
    except KreadError as error:
        return None, str(error).replace("\n", "; ")
    finally:
        if before is None:
            del os.environ["KREAD_HOME"]
        else:
            os.environ["KREAD_HOME"] = before


@cache
def _find(release: str) -> tuple[Path | None, str]:
    found = _given(release) or _from_tool(release)
    if found is not None or release != FETCHED_BY_KREAD:
        return found, ""
    return _from_kread(release)


@pytest.fixture(scope="session")
def tree() -> Callable[..., Path]:
    """A function that takes "6.12" and gives the folder of that release's tree; read it, never write to it. It also
    takes parts that have to be there: what kread fetches for itself is no whole tree."""

    def find(release: str, *parts: str) -> Path:
        found, why = _find(release)
        if found is None:
            pytest.skip(
                f"no tree of {release}{f' ({why})' if why else ''}; to enable, set KREAD_TEST_TREES "
                f"to a folder with linux-source-{release} in it, e.g. unpacked from Debian's package of that name"
            )
        for part in parts:
            if not (found / part).exists():
                pytest.skip(
                    f"the tree of {release} at hand has no {part}; to enable, set KREAD_TEST_TREES "
                    f"to a folder with a whole linux-source-{release} in it"
                )
        return found

    return find


#: kread as its entry point runs it, without relying on where the script was installed.
KREAD = (sys.executable, "-c", "from kread.cli.main import main; main()")

#: Building the index on one slow core that others use as well.
INDEX_SECONDS = 900


@pytest.fixture(scope="session")
def indexed_home(tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A KREAD_HOME that knows the tree of 6.12 and has the index of its default scope. Read it only."""
    given = os.environ.get("KREAD_TEST_HOME")
    home = Path(given) if given else tmp_path_factory.mktemp("kread-home")
    root = tree(FETCHED_BY_KREAD)
    environment = {**os.environ, "KREAD_HOME": str(home)}
    for arguments in (("clone", "--from", str(root)), ("index",)):
        done = subprocess.run(
            [*KREAD, *arguments], env=environment, capture_output=True, text=True, timeout=INDEX_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="session")
def graph(indexed_home: Path) -> CallGraph:
    """The call graph of 6.12's default scope."""
    from kread.graph.callgraph import CallGraph

    (file,) = (indexed_home / "index").glob(f"v{FETCHED_BY_KREAD}*-default.sqlite")
    return CallGraph(file)


@pytest.fixture(scope="session")
def graph_of(tree: Callable[[str], Path], graph: CallGraph) -> Callable[[str], CallGraph]:
    """A function that takes "7.2" and gives the call graph of that release's default scope.

    6.12 is indexed for all tests; the others are built where the next run finds them.
    """
    from kread.graph.build import build
    from kread.graph.callgraph import CallGraph
    from kread.source.progress import Silent
    from kread.source.tree import open_tree

    home = os.environ.get("KREAD_TEST_HOME") or str(_cache() / "graphs")
    graphs = {FETCHED_BY_KREAD: graph}

    def find(release: str) -> CallGraph:
        if release not in graphs:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KREAD_HOME", home)
                graphs[release] = CallGraph(build(open_tree(tree(release)), (), Silent()))
        return graphs[release]

    return find


@pytest.fixture(scope="session")
def graph_of_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, str]], CallGraph]:
    """A function that takes {"net/ipv4/a.c": text, ...} and gives the call graph of net/ipv4 in a tree of just these."""
    from kread.graph.build import build
    from kread.graph.callgraph import CallGraph
    from kread.source.progress import Silent
    from kread.source.tree import open_tree

    def link(files: dict[str, str]) -> CallGraph:
        root = tmp_path_factory.mktemp("files") / "tree"
        (root / "include/linux").mkdir(parents=True)
        for name, text in {"Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 9\n", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KREAD_HOME", str(root.parent / "home"))
            return CallGraph(build(open_tree(root), ("net/ipv4",), Silent()))

    return link


@pytest.fixture(scope="session")
def kread(indexed_home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs kread with these arguments in the indexed home and gives its streams and exit code."""

    def run(
        *arguments: str, stdin: str | None = None, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*KREAD, *arguments],
            env={**os.environ, "KREAD_HOME": str(indexed_home), "COLUMNS": "80", **environment},
            input=stdin,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=INDEX_SECONDS,
            check=False,
        )

    return run
