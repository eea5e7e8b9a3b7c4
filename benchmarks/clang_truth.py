"""What Clang says of other directories and configurations: a truth for accuracy.py and `kread doctor --truth`.

    make -C TREE O=OBJ defconfig prepare        (any configuration)
    pip install libclang
    python benchmarks/clang_truth.py OBJ PLACE [PLACE ...] -o DIR

Nothing is compiled: `make -n` names the files of a place and their flags, libclang parses each, and the calls are those of the
syntax tree, before anything is folded or inlined. Files that were built in OBJ already are not named by make. What is not
evaluated (sizeof, typeof) calls nothing. A call's class is src (written at the site), arg (written in a macro's
arguments), argname (its name is, its parentheses are not), body (made by a macro) or cleanup (made at the end of a scope).

Written are PLACE.calls.tsv.gz, PLACE.functions.tsv.gz and PLACE.inactive.tsv.gz, slashes as dashes; those of the functions
that are defined below PLACE.
"""

from __future__ import annotations

import argparse
import ctypes
import gzip
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from clang.cindex import Cursor, CursorKind, File, Index, StorageClass, TranslationUnit, c_object_p, conf

#: What of GCC's flags Clang needs to read a file as GCC does (macros tell of -O and -fsanitize); the others concern the
#: code that comes out.
FLAGS = re.compile(
    r"-(?:I|D|U|O|include|isystem|nostdinc|std=|m(?:64|cmodel)|f(?:short-wchar|unsigned-char|ms-extensions|sanitize=kernel))"
)
WITH_VALUE = ("-include", "-isystem", "-I", "-D", "-U")

CALLS = ("caller", "caller_file", "caller_line", "callee", "callee_kind", "callee_file", "callee_line", "file", "line",
         "class", "outer_macro", "inner_macro")  # fmt: skip
FUNCTIONS = ("name", "file", "line", "linkage")
INACTIVE = ("file", "begin_line", "end_line")

#: Their operands are types to the compiler: nothing in them is evaluated. (libclang's name of sizeof is C++'s.)
UNEVALUATED = frozenset({CursorKind.CXX_UNARY_EXPR})
#: Of these the last child alone is evaluated, the others are their type.
CASTS = frozenset({CursorKind.CSTYLE_CAST_EXPR, CursorKind.COMPOUND_LITERAL_EXPR})
#: What can stand around the name of a function that is called.
WRAPPERS = frozenset({CursorKind.UNEXPOSED_EXPR, CursorKind.PAREN_EXPR, CursorKind.CSTYLE_CAST_EXPR})
TYPES = frozenset(
    {
        CursorKind.TYPE_REF,
        CursorKind.TYPEDEF_DECL,
        CursorKind.STRUCT_DECL,
        CursorKind.UNION_DECL,
        CursorKind.ENUM_DECL,
    }
)
CLEANUP = re.compile(r"\bcleanup\((\w+)\)")


class Task(NamedTuple):
    """A file to parse, and how."""

    root: str
    objects: str
    place: str
    file: str
    flags: tuple[str, ...]


class Found(NamedTuple):
    """What a file says; of `linked` functions, others that call them want to know the place."""

    calls: set[tuple[str, ...]]
    functions: set[tuple[str, ...]]
    inactive: set[tuple[str, ...]]
    linked: dict[str, tuple[str, int]]
    errors: list[str]


def commands(objects: Path, place: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(source, flags) of each file that make would compile for a place."""
    said = subprocess.run(
        ["make", "-n", "V=1", f"{place}/"], cwd=objects, capture_output=True, text=True, check=True
    ).stdout
    seen = set()
    for line in said.splitlines():
        for words in _commands(line) if " -c -o " in line else ():
            if "-c" in words and words[-1].endswith(".c") and words[-1] not in seen and f"/{place}/" in f"/{words[-1]}":
                seen.add(words[-1])
                yield words[-1], tuple(_wanted(words))


def _commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a line for the shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in (*lexer, ";"):
        if set(word) != {";"}:
            words.append(word)
        elif words:
            yield words
            words = []


def _wanted(words: Sequence[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word in WITH_VALUE:
            yield from (word, next(rest))
        elif FLAGS.match(word):
            yield word


def read(task: Task) -> Found:
    """Parse one file."""
    os.chdir(task.objects)
    options = TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD
    unit = Index.create().parse(task.file, [*task.flags, "-w", "-ferror-limit=0", "-Wno-everything"], options=options)
    return Reading(task, unit).found


class Reading:
    """One parsed file on its way to rows."""

    def __init__(self, task: Task, unit: TranslationUnit) -> None:
        self.task = task
        self.texts: dict[str, bytes] = {}
        self.found = Found(set(), set(), set(), {}, [str(d) for d in unit.diagnostics if d.severity >= 3])
        files = set()
        for cursor in unit.cursor.get_children():
            if cursor.kind is not CursorKind.FUNCTION_DECL or not cursor.is_definition():
                continue
            file = self.relative(cursor.location.file)
            if not file.startswith(task.place + "/"):
                continue
            files.add(cursor.location.file.name)
            self.function(cursor, file)
        for name in files:
            self.skipped(unit, name)

    def relative(self, file: File | None) -> str:
        """A file's name below the tree, or "" of a generated one."""
        if file is None:
            return ""
        name = os.path.normpath(file.name)
        return name.removeprefix(self.task.root + "/") if name.startswith(self.task.root + "/") else ""

    def function(self, cursor: Cursor, file: str) -> None:
        """A function's row, and the rows of its calls."""
        static = cursor.storage_class == StorageClass.STATIC
        line = cursor.location.line
        self.found.functions.add((cursor.spelling, file, str(line), "static" if static else "extern"))
        if not static:
            self.found.linked[cursor.spelling] = (file, line)
        for child in cursor.get_children():
            if child.kind is CursorKind.COMPOUND_STMT:
                for callee, at in self.calls(child):
                    self.call((cursor.spelling, file, str(line)), callee, at)

    def calls(self, cursor: Cursor) -> Iterator[tuple[Cursor | str, Cursor]]:
        """(function or name of a cleanup, where) of the calls below a cursor."""
        kind = cursor.kind
        if kind in UNEVALUATED or kind.is_attribute():
            return
        children = list(cursor.get_children())
        if kind is CursorKind.VAR_DECL:
            if any(child.kind.is_attribute() for child in children):
                named = CLEANUP.search(pretty(cursor))
                if named:
                    yield named.group(1), cursor
            value = conf.lib.clang_Cursor_getVarDeclInitializer(cursor)
            children = [child for child in children if child == value] if value.kind.is_expression() else []
        elif kind in CASTS:
            children = children[-1:]
        elif kind in TYPES:
            return
        elif kind is CursorKind.GENERIC_SELECTION_EXPR:
            children = children[1:]
        elif kind is CursorKind.CALL_EXPR and children:
            named = _bare(children[0])
            if named.kind is CursorKind.DECL_REF_EXPR and named.referenced.kind is CursorKind.FUNCTION_DECL:
                yield named.referenced, named
        for child in children:
            yield from self.calls(child)

    def call(self, caller: tuple[str, str, str], callee: Cursor | str, at: Cursor) -> None:
        """The row of a call."""
        written = position(at.location, "clang_getSpellingLocation")
        outer = position(at.location, "clang_getExpansionLocation")
        where = (self.relative(written[0]), str(written[1]))
        if isinstance(callee, str):
            self.found.calls.add((*caller, callee, "decl", "", "", *where, "cleanup", "", ""))
            return
        name = callee.spelling
        definition = callee.get_definition() or callee
        file = definition.location.file
        defined = definition.is_definition()
        label = "builtin" if file is None or name.startswith("__builtin_") else "decl"
        if defined:
            label = "static" if definition.storage_class == StorageClass.STATIC else "extern"
        row = (name, label, self.relative(file), str(definition.location.line))
        macro = "" if written[2] == outer[2] and self.stands(written, name) else self.word(outer)
        self.found.calls.add((*caller, *row, *where, self.kind(written, outer, name), macro, ""))

    def kind(self, written: tuple[File | None, int, int], outer: tuple[File | None, int, int], name: str) -> str:
        """How a callee's name comes to its place."""
        if not self.stands(written, name):
            return "body"
        if written[2] == outer[2]:
            return "src"
        rest = self.text(written[0])[written[2] + len(name) :].lstrip()
        return "arg" if rest.startswith(b"(") else "argname"

    def stands(self, place: tuple[File | None, int, int], name: str) -> bool:
        """Whether a name is written at a place."""
        return self.word(place) == name

    def word(self, place: tuple[File | None, int, int]) -> str:
        """The word at a place."""
        found = re.match(rb"\w+", self.text(place[0])[place[2] :])
        return found.group().decode() if found else ""

    def text(self, file: File | None) -> bytes:
        """What stands in a file."""
        if file is None:
            return b""
        if file.name not in self.texts:
            self.texts[file.name] = Path(file.name).read_bytes()
        return self.texts[file.name]

    def skipped(self, unit: TranslationUnit, name: str) -> None:
        """The lines that the preprocessor left out of a file."""
        lib = conf.lib
        ranges = lib.clang_getSkippedRanges(unit, File.from_name(unit, name))
        try:
            for index in range(ranges.contents.count):
                span = ranges.contents.ranges[index]
                row = (str(span.start.line), str(span.end.line))
                self.found.inactive.add((self.relative(File.from_name(unit, name)), *row))
        finally:
            lib.clang_disposeSourceRangeList(ranges)


def _bare(callee: Cursor) -> Cursor:
    """What is called, without what stands around it; of a choice by type, the branch of the type that comes out."""
    while True:
        children = list(callee.get_children())
        if callee.kind in WRAPPERS and children:
            callee = children[-1]
        elif callee.kind is CursorKind.GENERIC_SELECTION_EXPR:
            kind = callee.type.get_canonical().spelling
            chosen = [child for child in children[1:] if child.type.get_canonical().spelling == kind]
            if len({_bare(child).spelling for child in chosen}) != 1:
                return callee
            callee = chosen[0]
        else:
            return callee


def position(location: Any, function: str) -> tuple[File | None, int, int]:
    """(file, line, offset) of a location, by one of libclang's readings of it."""
    file, line, column, offset = c_object_p(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    getattr(conf.lib, function)(
        location, ctypes.byref(file), ctypes.byref(line), ctypes.byref(column), ctypes.byref(offset)
    )
    return (File(file) if file else None), line.value, offset.value


def pretty(cursor: Cursor) -> str:
    """A declaration as Clang prints it, attributes included."""
    lib = conf.lib
    return str(lib.clang_getCursorPrettyPrinted(cursor, None))


def _declare() -> None:
    """What the binding leaves undeclared of libclang."""
    from clang.cindex import SourceRange, _CXString

    class Ranges(ctypes.Structure):
        _fields_ = (("count", ctypes.c_uint), ("ranges", ctypes.POINTER(SourceRange)))

    lib = conf.lib
    lib.clang_getSkippedRanges.restype = ctypes.POINTER(Ranges)
    lib.clang_getSkippedRanges.argtypes = [TranslationUnit, File]
    lib.clang_getCursorPrettyPrinted.restype = _CXString
    lib.clang_getCursorPrettyPrinted.argtypes = [Cursor, ctypes.c_void_p]
    lib.clang_getCursorPrettyPrinted.errcheck = _CXString.from_result
    lib.clang_Cursor_getVarDeclInitializer.restype = Cursor
    lib.clang_Cursor_getVarDeclInitializer.argtypes = [Cursor]
    lib.clang_Cursor_getVarDeclInitializer.errcheck = lambda result, function, arguments: _owned(result, arguments[0])


def _owned(cursor: Cursor, owner: Cursor) -> Cursor:
    cursor._tu = owner._tu
    return cursor


def write(file: Path, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
    """A table, sorted, the same bytes for the same rows."""
    text = "".join("\t".join(row) + "\n" for row in [columns, *sorted(set(rows))])
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objects", type=Path)
    parser.add_argument("places", nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    objects = args.objects.resolve()
    root = str((objects / "source").resolve())
    for place in args.places:
        tasks = [Task(root, str(objects), place, *command) for command in commands(objects, place)]
        if not tasks:
            sys.exit(f"make compiles nothing in {place}: the configuration has none of it, or it is built already")
        with ProcessPoolExecutor(args.jobs, initializer=_declare) as pool:
            found = list(pool.map(read, tasks))
        linked = {name: where for one in found for name, where in one.linked.items()}
        calls = set()
        for row in (row for one in found for row in one.calls):
            if row[4] == "decl" and row[3] in linked:
                file, line = linked[row[3]]
                row = (*row[:4], "extern", file, str(line), *row[7:])
            calls.add(row)
        prefix = str(args.output / place.replace("/", "-"))
        write(Path(f"{prefix}.calls.tsv.gz"), CALLS, calls)
        write(Path(f"{prefix}.functions.tsv.gz"), FUNCTIONS, (row for one in found for row in one.functions))
        write(Path(f"{prefix}.inactive.tsv.gz"), INACTIVE, (row for one in found for row in one.inactive))
        faults = [error for one in found for error in one.errors]
        print(f"{place}: {len(tasks)} files, {len(calls):,} calls, {len(faults)} errors", *faults[:5], sep="\n  ")


if __name__ == "__main__":
    main()
