"""The documentation is true: what it shows of kread's output is kread's output, and nothing that exists is left out.

Blocks that stand between `<!-- NAME -->` and `<!-- end -->` are made here and compared. After a change that is meant,
`KREAD_UPDATE=1 ./bootstrap --test tests/test_documentation.py` writes them anew.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kread.cli.main import COMMANDS

REPOSITORY = Path(__file__).resolve().parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]

#: Examples of the README's text: the arguments, as they stand after the prompt.
EXAMPLE = ("path", "tcp_rcv_state_process", "inet_ehash_insert", "-k", "1")


def _fenced(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def example(kread: Run) -> str:
    """One command with its whole answer."""
    done = kread(*EXAMPLE)
    assert done.returncode == 0, done.stderr
    return _fenced(f"$ kread {' '.join(EXAMPLE)}\n{done.stdout}")


def commands(kread: Run) -> str:
    """Every command with what it is for."""
    return "\n".join(
        ["| Command | |", "|---|---|"] + [f"| `kread {name}` | {gloss} |" for name, gloss in COMMANDS.items()]
    )


def help_(kread: Run) -> str:
    """Every command with its help."""
    parts = []
    for name, gloss in COMMANDS.items():
        done = kread(name, "--help")
        assert done.returncode == 0, done.stderr
        parts.append(f"## kread {name}\n\n{gloss}.\n\n{_fenced(done.stdout)}")
    return "\n\n".join(parts)


def modules(kread: Run) -> str:
    """Every module with what it says of itself in its first line."""
    parts = []
    for package in sorted({file.parent for file in REPOSITORY.glob("kread/**/*.py")}):
        name = package.relative_to(REPOSITORY)
        rows = [f"- `{file.name}`: {_first_line(file)}" for file in sorted(package.glob("*.py")) if _first_line(file)]
        if rows:
            parts.append(f"**`{name}/`**\n\n" + "\n".join(rows))
    return "\n\n".join(parts)


def _first_line(module: Path) -> str:
    """The first sentence of a module's docstring, "" for a package that says nothing."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


BLOCKS = {
    "example": ("README.md", example),
    "commands": ("README.md", commands),
    "help": ("COMMANDS.md", help_),
    "modules": ("ARCHITECTURE.md", modules),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_generated_blocks_are_what_kread_says(kread: Run, name: str) -> None:
    file, make = BLOCKS[name]
    path = REPOSITORY / file
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.S)
    made = make(kread)
    fresh = pattern.sub(lambda match: match[1] + made + match[2], text)
    assert pattern.search(text), f"{file} has no block {name}"
    if os.environ.get("KREAD_UPDATE"):
        path.write_text(fresh, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == fresh


def _examples() -> Iterator[list[str]]:
    """The examples of every help that can be run as they stand: no pipe, no file, nothing fetched."""
    import shlex

    for name in COMMANDS:
        source = (REPOSITORY / f"kread/cli/{name}.py").read_text(encoding="utf-8")
        for line in re.findall(r"^ {6}(kread [^\n]+)$", source, re.M):
            if not re.search(
                r"[|>~]|\.config|/boot|/truth| -o | --source | --from |^kread (clone|model|check|mcp)", line
            ):
                yield shlex.split(line)[1:]


@pytest.mark.parametrize("arguments", list(_examples()), ids=" ".join)
def test_the_examples_of_the_help_work(kread: Run, tmp_path: Path, arguments: list[str]) -> None:
    if {"--release", "--against", "--scope"} & set(arguments):
        pytest.skip("asks for another release or scope than the tests index; to enable, run it by hand")
    done = kread(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout or list(tmp_path.iterdir())


def test_every_command_has_a_file_and_is_listed() -> None:
    shared = {"__init__", "main", "session", "options", "neighbours"}
    for name in COMMANDS:
        assert (REPOSITORY / f"kread/cli/{name}.py").is_file()
    listed = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert all(f"kread {name}" in listed for name in COMMANDS)
    typed = {
        file.stem
        for file in (REPOSITORY / "kread/cli").glob("*.py")
        if re.search(rf"^def {file.stem}\(", file.read_text(encoding="utf-8"), re.M)
    }
    assert typed - shared == set(COMMANDS)


def test_the_readme_opens_with_the_two_commands_that_work() -> None:
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line.split("#")[0].strip() for line in lines if line.strip()][1:3] == [
        "./bootstrap path tcp_v4_rcv inet_ehash_insert",
        "./bootstrap --test",
    ]
    assert "./bootstrap --test" in (REPOSITORY / ".ci/run").read_text(encoding="utf-8")


def test_links_lead_to_files() -> None:
    for name in (
        "README.md",
        "COMMANDS.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "ACCURACY.md",
        "benchmarks/README.md",
    ):
        page = REPOSITORY / name
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{name}: {target}"


def test_the_scopes_of_the_help_are_those_of_the_data(kread: Run) -> None:
    from kread import data

    shown = kread("index", "--help").stdout
    assert set(re.findall(r"^ {4,}(\w+) {2,}\S", shown.split("include:")[1].split("Examples")[0], re.M)) == set(
        data.load("index_scopes")["scope"]
    )
