"""Small changes of a module's code: an operator, a number, a condition, a statement left out."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
SQL = re.compile(r'^\s*(select|update|insert|delete|with)\b|\b(where|order by)\b')
IN_SQL = (
    *((' desc', ' asc'), (' and ', ' or '), (' < ', ' <= '), (' <= ', ' < '), (' > ', ' >= ')),
    *(
        (' is null', ' is not null'),
        (' is not null', ' is null'),
        ('max(', 'min('),
        (' = ', ' <> '),
    ),
)
LEFT_OUT = (ast.Expr, ast.AugAssign, ast.Raise, ast.Break, ast.Continue, ast.Delete)


@dataclass(frozen=True)
class Mutation:
    """A module with one change."""

    path: str
    line: int
    what: str
    text: bytes

    def __str__(self) -> str:
        return f'{self.path}:{self.line} {self.what}'


def mutations_of(path: str, source: bytes) -> Iterator[Mutation]:
    """Return every change that is known for a module, in the order of its lines."""
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    for node, new in changes_below(ast.parse(source), in_function=False):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        text = source[:begin] + new.encode() + source[end:]
        old = ' '.join(source[begin:end].decode().split())
        yield Mutation(path, node.lineno, f'{shortened(old)} -> {shortened(new)}', text)


def shortened(text: str) -> str:
    return text if len(text) <= 70 else text[:67] + '…'


def changes_below(node: ast.AST, in_function: bool) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Return nodes and the texts to put in their place, except where nobody could notice."""
    if is_unnoticeable(node):
        return
    if isinstance(node, ast.expr):
        for new in changed_expressions(node, in_function):
            yield node, f'({ast.unparse(new)})'
    elif isinstance(node, LEFT_OUT):
        yield node, 'pass'
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for name, value in ast.iter_fields(node):
        if name in ('annotation', 'returns', 'decorator_list', 'exc', 'bases', 'pattern'):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from changes_below(child, inside)


def is_unnoticeable(node: ast.AST) -> bool:
    """Check for documentation, log lines, types, Windows, and f-strings (without positions)."""
    if isinstance(node, ast.Expr):
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        return isinstance(value, ast.Constant) or (
            isinstance(value, ast.Call) and ast.unparse(value.func).startswith('log.')
        )
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in ('TYPE_CHECKING', "sys.platform == 'win32'")
    return isinstance(node, ast.JoinedStr)


def changed_expressions(node: ast.expr, in_function: bool) -> Iterator[ast.expr]:
    """Return what may stand in an expression's place."""
    match node:
        case ast.Compare(ops=[operator]):
            new = copy.copy(node)
            new.ops = [COMPARISONS[type(operator)]()]
            yield new
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in ARITHMETIC and in_function:
            yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value) if in_function:
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if SQL.search(value):
            for old, other in IN_SQL:
                if old in value:
                    yield ast.Constant(value.replace(old, other, 1))
        case ast.Call(func=ast.Attribute(attr='shield'), args=[shielded]):
            yield shielded
