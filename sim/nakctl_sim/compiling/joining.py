"""Plain modules become one module for Cython, in which everything has a type of C.

One module, because then one function of C calls another, and may become part of it. A source may hold numbers
(and tuples of them) as constants, dataclasses of numbers, and functions of which every parameter and the
result are annotated. It may use the sources before it, `math`, and a few builtins; what would mean something
else in C is refused. Its names get its own name in front: two sources may use the same one.
"""

from __future__ import annotations

import ast
import math
import types
from importlib import import_module
from pathlib import Path
from typing import Any

from nakctl_sim.compiling.sources import EXPORTED, PACKAGE, SOURCES, known_as

TYPES = {
    "float": "cython.double",
    "int": "cython.Py_ssize_t",
    "bool": "cython.bint",
    "None": "cython.void",
    "Numbers": "cython.double[::1]",
}
LISTS = ("list", "Chain")  # of records: an element that is taken out needs an annotation of its own
BUILTINS = {"abs", "len", "max", "min", "range"}
IN_C = {"asinh", "atanh", "copysign", "exp", "expm1", "floor", "log", "log1p", "sqrt"}
NOT_THE_SAME = {
    ast.Pow: "a power is square, eighth_power or power of cell.arithmetic",
    ast.FloorDiv: "// is another in C where a number is negative",
    ast.Mod: "% is another in C where a number is negative",
}

# No divisor is ever 0, no index negative or beyond the end, and a power is one of floats.
HEAD = """\
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, cpow=True, infer_types=True
# cython: initializedcheck=False, binding=False, emit_code_comments=False
import cython
from cython.cimports.libc import math
"""
INSIDE = "@cython.cfunc\n@cython.exceptval(check=False)\n"
SEEN = "@cython.ccall\n@cython.exceptval(check=False)\n"
# What Python and C do in different ways.
BY_HAND = {
    "arithmetic__copy": """\
def arithmetic__copy(source: cython.double[::1], target: cython.double[::1]) -> cython.void:
    for k in range(source.shape[0]):
        target[k] = source[k]
""",
    "arithmetic__power": """\
def arithmetic__power(base: cython.double, exponent: cython.double) -> cython.double:
    return math.pow(base, exponent)
""",
    "arithmetic__single": """\
def arithmetic__single(value: cython.double) -> cython.double:
    return cython.cast(cython.float, value)
""",
}


class NotCompilableError(Exception):
    """A source holds what cannot be compiled; says where."""


def joined() -> str:
    """The text of the module. NotCompilableError."""
    modules = [import_module(f"{PACKAGE.name}.{name}") for name in SOURCES]
    parts = [Source(module, EXPORTED.get(name, ())) for module, name in zip(modules, SOURCES, strict=True)]
    texts = [text for part in parts for text in part.constants() + part.records()]
    texts += [text for part in parts for text in part.functions()]
    return "\n\n".join([HEAD, *texts])


class Source:
    """exported: names of its functions that can be called from Python."""

    def __init__(self, module: types.ModuleType, exported: tuple[str, ...] = ()) -> None:
        assert module.__file__ is not None
        self.module, self.name, self.path = module, module.__name__, Path(module.__file__)
        self.exported = exported
        tree = ast.parse(self.path.read_text("utf-8"))
        self.own = _stores(tree)
        self._records = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        self._functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]

    def constants(self) -> list[str]:
        """Tuples become arrays; single numbers are written where they are used."""
        used = {node.id for each in self._functions for node in ast.walk(each) if isinstance(node, ast.Name)}
        tables = {
            name: vars(self.module)[name] for name in sorted(used & self.own & vars(self.module).keys())
        }
        return [
            f"{known_as(self.name, name)} = cython.declare(cython.double[{len(values)}], {list(values)})"
            for name, values in tables.items()
            if _is_table(values)
        ]

    def records(self) -> list[str]:
        """Its dataclasses: fields are set by name when one is made; those that are not set are 0."""
        return [self._record(node) for node in self._records]

    def _record(self, node: ast.ClassDef) -> str:
        lines = [f"@cython.cclass\nclass {known_as(self.name, node.name)}:"]
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                kind = self.type_of(line.annotation, line)
                lines.append(f"    {line.target.id} = cython.declare({kind}, visibility='public')")
            elif not _is_text(line):
                raise self.fault(line, "a class holds fields and nothing else")
        lines.append("    def __init__(self, **fields):")
        lines.append("        for name, value in fields.items():\n            setattr(self, name, value)\n")
        return "\n".join(lines)

    def functions(self) -> list[str]:
        return [self._function(node) for node in self._functions]

    def _function(self, node: ast.FunctionDef) -> str:
        name = known_as(self.name, node.name)
        how = SEEN if node.name in self.exported else INSIDE
        if name in BY_HAND:
            return how + BY_HAND[name]
        given = node.args
        if given.defaults or given.vararg or given.kwarg or given.kwonlyargs or node.decorator_list:
            raise self.fault(node, f"{node.name}: parameters by position, without defaults; no decorator")
        parameters = [f"{each.arg}: {self.type_of(each.annotation, each)}" for each in given.args]
        head = f"def {name}({', '.join(parameters)}) -> {self.type_of(node.returns, node)}:"
        body = [ast.unparse(_Typed(self, node).visit(line)) for line in node.body if not _is_text(line)]
        return how + "\n".join([head, *("    " + line for text in body for line in text.splitlines())]) + "\n"

    def type_of(self, node: ast.expr | None, at: ast.AST) -> str:
        """Of C, for an annotation."""
        if node is None:
            raise self.fault(at, "every parameter and every result needs an annotation")
        text = ast.unparse(node)
        if text in TYPES:
            return TYPES[text]
        if text.partition("[")[0] in LISTS:
            return "list"
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and text.startswith("tuple"):
            return f"tuple[{', '.join(self.type_of(each, at) for each in node.slice.elts)}]"
        known = vars(self.module).get(text)
        if isinstance(known, type) and self.is_ours(known):
            return known_as(known.__module__, known.__name__)
        raise self.fault(at, f"{text}: a type is one of {', '.join(TYPES)}, a tuple of these, or a record")

    def is_ours(self, value: Any) -> bool:
        """A function or a record of what is compiled."""
        package, _, name = value.__module__.partition(".")
        return value.__module__ == self.name or (package == PACKAGE.name and name in SOURCES)

    def fault(self, node: Any, text: str) -> NotCompilableError:
        return NotCompilableError(f"{self.path.parent.name}/{self.path.name}:{node.lineno}: {text}")


class _Typed(ast.NodeTransformer):
    """The body of one function, in the names of the joined module."""

    def __init__(self, source: Source, function: ast.FunctionDef) -> None:
        self.source = source
        self.local = _stores(function) | {each.arg for each in function.args.args}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.local or node.id in BUILTINS:
            return node
        value = vars(self.source.module).get(node.id)
        if isinstance(value, bool | int | float):
            return _literal(value)
        if _is_table(value) and node.id in self.source.own:
            return ast.Name(known_as(self.source.name, node.id), node.ctx)
        if isinstance(value, types.FunctionType) and self.source.is_ours(value):
            return ast.Name(known_as(value.__module__, value.__name__), node.ctx)
        raise self.source.fault(node, f"{node.id} is neither a number nor a function of the compiled sources")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if not (isinstance(node.value, ast.Name) and node.value.id == "math"):
            return self.generic_visit(node)
        value = getattr(math, node.attr)
        if isinstance(value, float):
            return _literal(value)
        if node.attr not in IN_C:
            raise self.source.fault(node, f"math.{node.attr} is none of {', '.join(sorted(IN_C))}")
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """int(x): towards 0, as in C."""
        if not (isinstance(node.func, ast.Name) and node.func.id == "int"):
            return self.generic_visit(node)
        argument = ast.unparse(self.visit(node.args[0]))
        return ast.parse(f"cython.cast(cython.Py_ssize_t, {argument})", mode="eval").body

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        kind = ast.parse(self.source.type_of(node.annotation, node), mode="eval").body
        value = None if node.value is None else self.visit(node.value)
        return ast.AnnAssign(node.target, kind, value, node.simple)

    def visit_BinOp(self, node: ast.BinOp | ast.AugAssign) -> ast.AST:
        if (told := NOT_THE_SAME.get(type(node.op))) is not None:
            raise self.source.fault(node, told)
        return self.generic_visit(node)

    visit_AugAssign = visit_BinOp  # noqa: N815 - as ast calls it

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.slice, ast.UnaryOp | ast.Slice):
            raise self.source.fault(node, f"{ast.unparse(node)}: an index is one place, counted from 0")
        return self.generic_visit(node)


def _literal(value: float) -> ast.expr:
    if isinstance(value, float) and not math.isfinite(value):
        name = "NAN" if math.isnan(value) else "INFINITY" if value > 0.0 else "INFINITY * -1.0"
        return ast.parse(f"math.{name}", mode="eval").body
    return ast.Constant(value)


def _is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(each, float) for each in value)


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _stores(tree: ast.AST) -> set[str]:
    """Names that get a value."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}
