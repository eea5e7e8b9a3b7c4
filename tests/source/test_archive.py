"""Archives: what `tar` itself unpacks, in every format; and nothing at all of a hostile or damaged one."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kread.errors import EXIT_NO_SOURCE, SourceError
from kread.source import archive as archive_module
from kread.source import compressed
from kread.source.archive import unpack
from kread.source.compressed import Counted
from kread.source.progress import Silent

FOLDERS = ("include", "net", "arch/x86/include", "lib")
MAKEFILE = b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\n"


def tar_program(part: Path, target: Path, *options: str) -> Path:
    """`part` packed by the tar program of this machine."""
    subprocess.run(["tar", *options, "-cf", str(target), part.name], cwd=part.parent, check=True)
    return target


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


#: Format, how tar makes it here (fast), the program it needs.
FORMATS = {
    "tar": ([], "tar"),
    "tar.gz": (["-I", "gzip -1"], "gzip"),
    "tar.bz2": (["-I", "bzip2 -1"], "bzip2"),
    "tar.xz": (["-I", "xz -0"], "xz"),
    "tar.zst": (["-I", "zstd -1"], "zstd"),
}


@pytest.mark.parametrize(
    ("suffix", "programs"), [*((suffix, True) for suffix in FORMATS), ("tar.xz", False)], ids=lambda value: str(value)
)
def test_the_scope_of_a_real_release_is_unpacked_as_tar_does_it(
    part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, programs: bool
) -> None:
    option, program = FORMATS[suffix]
    if shutil.which(program) is None:
        pytest.skip(f"no {program}; to enable, install it")
    packed = tar_program(part, tmp_path / f"linux-6.12.{suffix}", *option)
    by_tar = tmp_path / "by-tar"
    by_tar.mkdir()
    wanted = [f"{part.name}/{name}" for name in ("Makefile", "Kbuild", "Kconfig", *FOLDERS)]
    subprocess.run(["tar", "-xf", str(packed), "-C", str(by_tar), *wanted], check=True)
    ours = tmp_path / "ours"
    ours.mkdir()
    if not programs:
        monkeypatch.setattr(shutil, "which", lambda _: None)
    unpack(packed, ours, FOLDERS, Silent())
    expected = files_below(by_tar / part.name)
    assert files_below(ours) == expected
    assert "net/ipv4/tcp_input.c" in expected
    assert expected["include/dt-bindings/input/linux-event-codes.h"].startswith(b"/*")  # a link, whose content it has
    assert not [file for file in ours.rglob("*") if file.is_symlink()]


def test_the_digest_is_the_archives(part: Path, tmp_path: Path) -> None:
    packed = tar_program(part, tmp_path / "linux.tar.gz", "-z")
    (tmp_path / "ours").mkdir()
    said = subprocess.run(["sha256sum", str(packed)], capture_output=True, text=True, check=True).stdout
    assert unpack(packed, tmp_path / "ours", FOLDERS, Silent()) == said.split()[0]


def test_without_the_zstd_program_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "linux.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    (tmp_path / "ours").mkdir()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SourceError, match="apt install zstd"):
        unpack(tmp_path / "linux.tar.zst", tmp_path / "ours", FOLDERS, Silent())


def regular(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = link
    return member, b""


GOOD = [
    regular("linux/Makefile", MAKEFILE),
    regular("linux/include/linux/x.h"),
    regular("linux/net/socket.c"),
    special("linux/net/same.c", tarfile.SYMTYPE, "socket.c"),
    special("linux/net/hard.c", tarfile.LNKTYPE, "linux/net/socket.c"),
    special("linux/net/none.c", tarfile.SYMTYPE, "../drivers/none.c"),
]


def pack(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def header_of_megabytes() -> bytes:
    member = tarfile.TarInfo("linux/net/long.c")
    member.pax_headers = {"comment": "x" * 3_000_000}
    return pack(*GOOD, (member, b""), form=tarfile.PAX_FORMAT)


def chain_of_long_names() -> bytes:
    one = tarfile.TarInfo("linux/x")
    one.type, one.size = tarfile.GNUTYPE_LONGNAME, 0
    return one.tobuf() * 5000 + pack(*GOOD)


def negative_size() -> bytes:
    block = bytearray(pack(*GOOD)[:512])
    block[124:136] = b"\xff" * 12  # base 256: minus one
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + pack(*GOOD)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "absolute name": lambda: pack(*GOOD, regular("/tmp/kread-absolute")),
    "climbing name": lambda: pack(*GOOD, regular("linux/net/../../../escaped")),
    "climbing from the start": lambda: pack(*GOOD, regular("../escaped")),
    "climbing folder": lambda: pack(*GOOD, special("linux/../../escaped", tarfile.DIRTYPE)),
    "link to an absolute place": lambda: pack(*GOOD, special("linux/net/out", tarfile.SYMTYPE, "/etc")),
    "link that climbs out": lambda: pack(*GOOD, special("linux/net/out", tarfile.SYMTYPE, "../../..")),
    "link beside the top folder": lambda: pack(*GOOD, special("linux/out", tarfile.SYMTYPE, "../other/x")),
    "hard link out": lambda: pack(*GOOD, special("linux/net/out", tarfile.LNKTYPE, "../../etc/passwd")),
    "hard link to an absolute place": lambda: pack(*GOOD, special("linux/net/out", tarfile.LNKTYPE, "/etc/passwd")),
    "character device": lambda: pack(*GOOD, special("linux/net/null", tarfile.CHRTYPE)),
    "block device": lambda: pack(*GOOD, special("linux/net/disk", tarfile.BLKTYPE)),
    "fifo": lambda: pack(*GOOD, special("linux/net/fifo", tarfile.FIFOTYPE)),
    "two top folders": lambda: pack(*GOOD, regular("other/net/x.c")),
    "a name too long": lambda: pack(*GOOD, regular("linux/net/" + "x/" * 2000 + "x")),
    "a component too long": lambda: pack(*GOOD, regular("linux/net/" + "x" * 300)),
    "a file that is also a folder": lambda: pack(*GOOD, regular("linux/net/socket.c/x")),
    "a folder that is also a file": lambda: pack(*GOOD, regular("linux/net/d/x"), regular("linux/net/d")),
    "a header of megabytes": header_of_megabytes,
    "a chain of long names": chain_of_long_names,
    "a negative length": negative_size,
    "bomb, gzip": lambda: gzip.compress(pack(*GOOD, regular("linux/net/zero.c", bytes(100_000_000)))),
    "bomb, xz": lambda: lzma.compress(pack(*GOOD, regular("linux/net/zero.c", bytes(100_000_000))), preset=0),
    "bomb outside the scope": lambda: gzip.compress(pack(*GOOD, regular("linux/fs/zero.c", bytes(100_000_000)))),
    "empty": lambda: b"",
    "no archive": lambda: b"It was a dark and stormy night. " * 100,
    "an archive of nothing": lambda: pack(),
    "end missing": lambda: pack(*GOOD).rstrip(b"\0"),
    "cut in a header": lambda: pack(*GOOD)[:700],
    "cut in a file": lambda: pack(*GOOD, regular("linux/net/long.c", b"x" * 100_000))[:50_000],
    "gzip cut": lambda: gzip.compress(pack(*GOOD))[:-20],
    "gzip with a wrong sum": lambda: gzip.compress(pack(*GOOD))[:-8] + b"\0\0\0\0" + gzip.compress(pack(*GOOD))[-4:],
    "xz cut": lambda: lzma.compress(pack(*GOOD))[:-10],
    "xz damaged": lambda: lzma.compress(pack(*GOOD))[:100] + b"\0\0" + lzma.compress(pack(*GOOD))[102:],
    "zstd that is none": lambda: b"\x28\xb5\x2f\xfd" + os.urandom(1000),
    "bzip2 that is none": lambda: b"BZh9" + bytes(1000),
}


@pytest.mark.parametrize(
    ("case", "programs"),
    # Without the program, the library unpacks xz; the other formats know one way.
    [(case, programs) for case in HOSTILE for programs in ([True, False] if "xz" in case else [True])],
)
def test_a_hostile_or_damaged_archive_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, programs: bool
) -> None:
    packed = tmp_path / "linux-6.12.tar"
    packed.write_bytes(HOSTILE[case]())
    if programs and case.startswith("zstd") and shutil.which("zstd") is None:
        pytest.skip("no zstd; to enable, install it")
    if not programs:
        monkeypatch.setattr(shutil, "which", lambda _: None)
    into = tmp_path / "home" / "into"
    into.mkdir(parents=True)
    with pytest.raises(SourceError) as caught:
        unpack(packed, into, FOLDERS, Silent())
    assert (caught.value.slug, caught.value.exit_code) == ("bad-archive", EXIT_NO_SOURCE)
    assert len(str(caught.value).splitlines()) == 3
    assert str(caught.value).replace("\n", "").isprintable()
    outside = {"linux-6.12.tar", "home"}
    assert {file.name for file in tmp_path.iterdir()} == outside
    assert [file.name for file in into.parent.iterdir()] == ["into"]
    assert not Path("/tmp/kread-absolute").exists()
    assert sum(len(content) for content in files_below(into).values()) < 70_000_000


def test_the_good_members_alone_are_taken(tmp_path: Path) -> None:
    (tmp_path / "linux.tar").write_bytes(pack(*GOOD))
    (tmp_path / "into").mkdir()
    unpack(tmp_path / "linux.tar", tmp_path / "into", FOLDERS, Silent())
    assert files_below(tmp_path / "into") == {
        "Makefile": MAKEFILE,
        "include/linux/x.h": b"x",
        "net/hard.c": b"x",
        "net/same.c": b"x",
        "net/socket.c": b"x",
    }


def test_of_two_members_of_one_name_the_later_counts(tmp_path: Path) -> None:
    (tmp_path / "linux.tar").write_bytes(pack(*GOOD, regular("linux/net/socket.c", b"later")))
    (tmp_path / "into").mkdir()
    unpack(tmp_path / "linux.tar", tmp_path / "into", FOLDERS, Silent())
    assert (tmp_path / "into/net/socket.c").read_bytes() == b"later"


def test_two_compressed_streams_in_a_row_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = pack(*GOOD)
    (tmp_path / "linux.tar").write_bytes(lzma.compress(plain[:1000]) + bytes(4) + lzma.compress(plain[1000:]))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (tmp_path / "into").mkdir()
    unpack(tmp_path / "linux.tar", tmp_path / "into", FOLDERS, Silent())
    assert (tmp_path / "into/net/socket.c").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("module", "limit", "value"),
    [
        (archive_module, "MAX_MEMBERS", 3),
        (archive_module, "MAX_WRITTEN_BYTES", 20),
        (archive_module, "MAX_FILE_BYTES", 20),
        (compressed, "MAX_PLAIN_BYTES", 4096),
    ],
)
def test_each_limit_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, limit: str, value: int
) -> None:
    (tmp_path / "linux.tar").write_bytes(pack(*GOOD))
    (tmp_path / "into").mkdir()
    unpack(tmp_path / "linux.tar", tmp_path / "into", FOLDERS, Silent())
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(SourceError) as caught:
        unpack(tmp_path / "linux.tar", tmp_path / "into", FOLDERS, Silent())
    assert caught.value.slug == "bad-archive"


def test_a_missing_archive_is_an_error_of_three_lines(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        unpack(tmp_path / "none.tar.xz", tmp_path, FOLDERS, Silent())
    assert len(str(caught.value).splitlines()) == 3


PLAIN = pack(*GOOD)
PACKED = [PLAIN, gzip.compress(PLAIN)]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from(PACKED),
    changes=st.lists(st.tuples(st.integers(0, len(PLAIN)), st.binary(min_size=1, max_size=12)), min_size=1, max_size=4),
    length=st.integers(0, len(PLAIN)) | st.none(),
)
def test_no_change_of_an_archive_does_more_than_refuse_it(
    tmp_path: Path, base: bytes, changes: list[tuple[int, bytes]], length: int | None
) -> None:
    content = bytearray(base)
    for place, new in changes:
        content[place % len(base) : place % len(base) + len(new)] = new
    outer = tmp_path / "outer"
    shutil.rmtree(outer, ignore_errors=True)
    into = outer / "into"
    into.mkdir(parents=True)
    slug = "bad-archive"
    try:
        archive_module.unpack_stream(Counted(io.BytesIO(content[:length])), into, FOLDERS, "fuzzed")
    except SourceError as error:
        slug = error.slug
    assert slug == "bad-archive"
    assert [file.name for file in outer.iterdir()] == ["into"]
    assert not [file for file in into.rglob("*") if file.is_symlink() or not (file.is_file() or file.is_dir())]
