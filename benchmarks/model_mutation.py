"""Flip each guard of the model and see whether a scenario notices: the share killed, and the survivors by name.

    python benchmarks/model_mutation.py [--json] [MODULE ...]

Theory of operation: a mutant differs from the model in one place of one function: a comparison (its neighbour and its
opposite), and/or, a condition turned round, a shift turned round or moved by one, min/max. The mutant's code object is
put in the place of the function's, so every reference to the function meets it, and the scenarios that walk through
that function are played under each release's policy until one of them fails, refuses, or takes too long. Exits 1 when
a mutant survives that is not on the list of equivalents, each of which has its reason.
"""

from __future__ import annotations

import ast
import copy
import importlib
import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType

from kread.data import load
from kread.model.play import play
from kread.model.policy import Policy, policies
from kread.model.script import Script, parse

MODULES = (
    "accept",
    "check_req",
    "child",
    "close",
    "conn_request",
    "cookies",
    "established",
    "fastopen",
    "fastopenq",
    "limits",
    "listen",
    "lookup",
    "machine",
    "options",
    "rcv",
    "reqsk_timer",
    "reset",
    "reuseport",
    "socks",
    "synack",
    "timewait",
)
#: A mutant that loops is stopped after so long of the processor's time: a scenario takes a few milliseconds.
SECONDS = 4

#: Mutants that no scenario can tell apart, by module, function and change, with the reason.
EQUIVALENT: dict[tuple[str, str, str], str] = {}

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: where, what, and the function's code with it."""

    module: str
    function: str
    line: int
    change: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line} {self.function}: {self.change}"


def _conditions(node: ast.AST) -> list[ast.expr]:
    """The bare conditions below a node that polarity can turn: not comparisons, whose operators are turned anyway."""
    tests: list[ast.expr] = []
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        tests.append(node.test)
    elif isinstance(node, ast.BoolOp):
        tests += node.values
    elif isinstance(node, ast.comprehension):
        tests += node.ifs
    return [test for test in tests if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant)]


def _changes(node: ast.AST) -> Iterator[tuple[Callable[[ast.AST], None], str]]:
    """The ways to change one node in place, each with its description."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in _COMPARE[type(op)]:
                yield _setter("ops", i, other()), f"{type(op).__name__} -> {other.__name__} in {ast.unparse(node)}"
    elif isinstance(node, ast.BoolOp):
        turned = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _attribute("op", turned), f"and/or in {ast.unparse(node)}"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _attribute("op", _Keep()), f"drop not in {ast.unparse(node)}"
    elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.LShift | ast.RShift):
        turned_shift = ast.RShift() if isinstance(node.op, ast.LShift) else ast.LShift()
        yield _attribute("op", turned_shift), f"turn shift in {ast.unparse(node)}"
        amount = node.right if isinstance(node, ast.BinOp) else node.value
        field = "right" if isinstance(node, ast.BinOp) else "value"
        for step in (1, -1):
            moved = ast.BinOp(amount, ast.Add(), ast.Constant(step))
            yield _attribute(field, moved), f"shift {step:+} in {ast.unparse(node)}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        name = "max" if node.func.id == "min" else "min"
        yield _attribute("func", ast.Name(name, ast.Load())), f"{name} in {ast.unparse(node)}"


class _Keep(ast.unaryop):
    """A mark for `not` that is to be dropped."""


def _setter(field: str, i: int, value: ast.AST) -> Callable[[ast.AST], None]:
    return lambda node: getattr(node, field).__setitem__(i, value)


def _attribute(field: str, value: ast.AST) -> Callable[[ast.AST], None]:
    return lambda node: setattr(node, field, value)


class _Drop(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("bool", ast.Load()), [node.operand], []) if isinstance(node.op, _Keep) else node


class _Negate(ast.NodeTransformer):
    def __init__(self, target: ast.AST) -> None:
        self.target = target

    def visit(self, node: ast.AST) -> ast.AST:
        node = self.generic_visit(node)
        return ast.UnaryOp(ast.Not(), node) if node is self.target else node  # type: ignore[arg-type]


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The functions of a module with their places among its nodes, methods by Class.name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef):
                    yield f"{node.name}.{each.name}", each.lineno


def _body(tree: ast.Module, name: str) -> ast.FunctionDef:
    owner, _, method = name.rpartition(".")
    found: list[ast.stmt] = tree.body
    if owner:
        found = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner)
    return next(node for node in found if isinstance(node, ast.FunctionDef) and node.name == method)


def mutants(name: str) -> list[Mutant]:
    """Every mutant of a module of the model."""
    module = importlib.import_module(f"kread.model.{name}")
    source = Path(str(module.__file__))
    tree = ast.parse(source.read_text())
    found = []
    for function, _ in _functions(tree):
        count = len(list(ast.walk(_body(tree, function))))
        for i in range(count):
            found += _of_node(module, tree, name, function, i)
    return found


def _of_node(module: ModuleType, tree: ast.Module, name: str, function: str, i: int) -> list[Mutant]:
    node = list(ast.walk(_body(tree, function)))[i]
    line = getattr(node, "lineno", 0)
    found = []
    for n, (_, text) in enumerate(list(_changes(node))):
        changed = copy.deepcopy(tree)
        target = list(ast.walk(_body(changed, function)))[i]
        list(_changes(target))[n][0](target)
        found.append(Mutant(name, function, line, text, _code(module, _Drop().visit(changed), function)))
    for n, test in enumerate(_conditions(node)):
        changed = copy.deepcopy(tree)
        target = _conditions(list(ast.walk(_body(changed, function)))[i])[n]
        text = f"not {ast.unparse(test)}"
        found.append(
            Mutant(name, function, line or test.lineno, text, _code(module, _Negate(target).visit(changed), function))
        )
    return found


def _code(module: ModuleType, tree: ast.AST, function: str) -> CodeType:
    ast.fix_missing_locations(tree)
    assert isinstance(tree, ast.Module)
    space = dict(vars(module))
    exec(compile(tree, str(module.__file__), "exec"), space)
    return _function(space, function).__code__


def _function(space: dict[str, object], name: str) -> FunctionType:
    owner, _, method = name.rpartition(".")
    found = vars(space[owner])[method] if owner else space[method]
    found = getattr(found, "fget", found)
    assert isinstance(found, FunctionType)
    return found


class _TooLong(Exception):
    """A mutant that loops."""


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise _TooLong


def _noting(seen: set[CodeType]) -> Callable[[FrameType, str, object], None]:
    return lambda frame, event, _arg: seen.add(frame.f_code) if event == "call" else None


def _walked(scripts: list[Script], answers: list[Policy]) -> dict[CodeType, list[tuple[Script, Policy]]]:
    """Which scenarios walk through which function, by its code."""
    found: dict[CodeType, list[tuple[Script, Policy]]] = defaultdict(list)
    for script in scripts:
        for policy in answers:
            seen: set[CodeType] = set()
            sys.setprofile(_noting(seen))
            run = play(script, policy)
            sys.setprofile(None)
            assert run.passed, f"{script.name}: {run.failures[0]}"
            for code in seen:
                found[code].append((script, policy))
    return {code: sorted(plays, key=lambda each: len(each[0].statements)) for code, plays in found.items()}


def killed(mutant: Mutant, plays: dict[CodeType, list[tuple[Script, Policy]]]) -> bool:
    """Whether a scenario notices the mutant."""
    function = _function(vars(importlib.import_module(f"kread.model.{mutant.module}")), mutant.function)
    original = function.__code__
    function.__code__ = mutant.code
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return any(not play(script, policy).passed for script, policy in plays.get(original, ()))
    except Exception:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        function.__code__ = original


def main(arguments: list[str]) -> int:
    """Print the share of mutants killed, and the survivors; 1 if there are any that are not equivalent."""
    start = time.monotonic()
    folder = files("kread.data") / "scenarios"
    scripts = [
        parse(file.read_text(encoding="utf-8"), file.name.removesuffix(".scn"))
        for file in sorted(folder.iterdir(), key=lambda each: each.name)
    ]
    plays = _walked(scripts, list(policies(load("policies")).values()))
    wanted = [each for each in arguments if not each.startswith("-")] or MODULES
    found = [mutant for name in wanted for mutant in mutants(name)]
    alive = [mutant for mutant in found if not killed(mutant, plays)]
    equivalent = [each for each in alive if (each.module, each.function, each.change) in EQUIVALENT]
    survivors = [each for each in alive if each not in equivalent]
    figures = {
        "mutants": len(found),
        "killed": len(found) - len(alive),
        "equivalent": len(equivalent),
        "survivors": [str(each) for each in survivors],
        "seconds": round(time.monotonic() - start, 1),
    }
    if "--json" in arguments:
        print(json.dumps(figures, indent=1))
    else:
        rest = f"{len(equivalent)} more are equivalent, {figures['seconds']} s"
        counted = len(found) - len(equivalent)
        print(f"{figures['killed']} of {counted} mutants killed, {rest}")
        print("".join(f"  survives: {each}\n" for each in survivors), end="")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
