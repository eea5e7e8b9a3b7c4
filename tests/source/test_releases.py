"""A name finds a release by whole components, newest first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kread.errors import EXIT_NO_SOURCE, SourceError
from kread.source.home import releases_dir
from kread.source.releases import find_release, list_releases, nearest, parse_name, register
from kread.source.tree import SourceTree, make_ident, open_tree

HERE = ["v6.12.9", "v6.1.192", "v6.12.117", "v5.10.262", "v6.12-rc3", "v7.2.13", "v6.2", "v6.11.12-custom"]


def make(root: Path, release: str) -> Path:
    name = parse_name(release)
    assert name is not None
    numbers = [*name.numbers, 0, 0][:3]
    (root / "include/linux").mkdir(parents=True)
    (root / "net").mkdir()
    words = ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")
    lines = [f"{word} = {value}" for word, value in zip(words, [*numbers, name.extra], strict=True)]
    (root / "Makefile").write_text("\n".join(lines))
    return root


def add(release: str, origin: str = "test") -> SourceTree:
    ident = make_ident(origin + release)
    tree = open_tree(make(releases_dir() / f"{release}-{ident}", release), origin, ident)
    register(tree, ("net",))
    return tree


@pytest.fixture
def here(home: Path) -> None:
    for release in HERE:
        add(release)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        (None, "v7.2.13"),
        ("v6.12", "v6.12.117"),
        ("6.12", "v6.12.117"),
        ("v6.1", "v6.1.192"),
        ("6", "v6.12.117"),
        ("v6.12.9", "v6.12.9"),
        ("v6.12-rc3", "v6.12-rc3"),
        ("v6.2", "v6.2"),
        ("v6.2.0", "v6.2"),
        ("v6.11", "v6.11.12-custom"),
        ("v6.11.12", "v6.11.12-custom"),
        ("v5", "v5.10.262"),
    ],
)
def test_a_name_finds_the_newest_release_that_begins_with_it(name: str | None, found: str) -> None:
    assert find_release(name).release == found


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "name", ["v6.3", "6.12.1", "v6.12.11", "v6.13", "v7.20", "v1", "nonsense", "", "v6.12-rc4", "6.1.1922"]
)
def test_an_unknown_name_is_refused_and_told_what_is_here(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        find_release(name)
    assert (caught.value.slug, caught.value.exit_code) == ("no-such-release", EXIT_NO_SOURCE)
    for release in HERE:
        assert release in caught.value.hint


@pytest.mark.usefixtures("here")
def test_the_list_is_newest_first_and_a_candidate_comes_before_its_release() -> None:
    add("v6.12")
    assert [tree.release for tree in list_releases()] == [
        *("v7.2.13", "v6.12.117", "v6.12.9", "v6.12", "v6.12-rc3", "v6.11.12-custom", "v6.2", "v6.1.192", "v5.10.262")
    ]
    assert find_release("v6.12.0").release == "v6.12"


def test_two_trees_of_one_release_are_told_apart(home: Path) -> None:
    first, second = add("v6.12.117", "git"), add("v6.12.117", "Debian")
    assert find_release("v6.12") == second  # the one that came last
    assert find_release(f"v6.12@{first.ident[:6]}") == first
    assert find_release(f"v6.12.117@{second.ident}") == second
    with pytest.raises(SourceError):
        find_release("v6.12@ffffffffffff")


def test_nothing_here_says_how_to_get_it(home: Path) -> None:
    assert list_releases() == []
    with pytest.raises(SourceError, match="kread clone") as caught:
        find_release("v6.1")
    assert "kread clone v6.1`" in caught.value.hint
    assert not home.exists()


def test_a_directory_is_taken_as_a_release_without_a_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "linux", "v6.12.3")
    monkeypatch.setenv("KREAD_HOME", "/proc/kread")
    assert find_release(str(tmp_path / "linux")).release == "v6.12.3"
    monkeypatch.chdir(tmp_path)
    assert find_release("linux").release == find_release("./linux").release == "v6.12.3"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"schema": "kread.release/99"}', b"\xff\xfe", b"1" * 5000]
)
def test_a_damaged_record_counts_for_nothing(home: Path, content: bytes) -> None:
    tree = add("v6.12.117")
    (releases_dir() / "v6.12.118-0123456789ab.json").write_bytes(content)
    assert list_releases() == [tree]


def test_a_record_whose_tree_is_gone_counts_for_nothing(home: Path) -> None:
    shutil.rmtree(add("v6.12.117").root)
    assert list_releases() == []


def test_a_tree_in_place_that_moved_on_is_found_under_its_new_release(home: Path, tmp_path: Path) -> None:
    root = make(tmp_path / "linux", "v6.12.3")
    register(open_tree(root), in_place=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 13\n")
    assert [tree.release for tree in list_releases()] == ["v6.13"]


def test_a_home_that_moved_still_has_its_releases(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add("v6.12.117")
    shutil.move(home, tmp_path / "moved")
    monkeypatch.setenv("KREAD_HOME", str(tmp_path / "moved"))
    assert find_release("v6.12").read("Makefile").startswith(b"VERSION = 6")


@given(st.text())
def test_any_text_is_a_name_or_none(text: str) -> None:
    name = parse_name(text)
    assert name is None or name.finds(name)


@given(st.lists(st.integers(0, 999), min_size=3, max_size=3), st.integers(1, 3))
def test_each_prefix_of_a_name_finds_it_and_a_longer_number_does_not(numbers: list[int], size: int) -> None:
    full = parse_name("v" + ".".join(map(str, numbers)))
    prefix = parse_name(".".join(map(str, numbers[:size])))
    other = parse_name(".".join(map(str, [*numbers[: size - 1], numbers[size - 1] * 10 + 1])))
    assert full is not None
    assert prefix is not None
    assert other is not None
    assert prefix.finds(full)
    assert not other.finds(full)


def test_the_nearest_names_are_those_of_the_same_series() -> None:
    names = ["v5.10", "v6.1", "v6.12", "v6.12.1", "v6.12.20", "v6.12.24", "v6.13", "v6.13-rc1", "v7.0"]
    assert nearest(names, "v6.12.22")[:2] == ["v6.12.20", "v6.12.24"]
    assert nearest(names, "v6.13-rc2")[:2] == ["v6.13", "v6.13-rc1"]
    assert nearest(["next-20250101", "v6.1"], "next-20250102") == ["next-20250101"]
