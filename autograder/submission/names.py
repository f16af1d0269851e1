"""Names in a piece of source: which it gives a meaning, and which it takes from outside."""

from __future__ import annotations

import ast
import symtable
from functools import lru_cache


@lru_cache(maxsize=512)  # a class has most of its cells in common
def used_names(source: str) -> frozenset[str]:
    """The names that a statement takes from outside; a function's own parameters are none."""
    module = symtable.symtable(source, "<cell>", "exec")
    used = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_referenced()}
    waiting = module.get_children()
    while waiting:
        scope = waiting.pop()
        used |= {
            symbol.get_name()
            for symbol in scope.get_symbols()
            if symbol.is_referenced() and symbol.is_global()
        }
        waiting += scope.get_children()
    return frozenset(used)


@lru_cache(maxsize=512)
def given_names(source: str) -> frozenset[str]:
    """The names at the top level that a source defines, imports, or assigns."""
    module = symtable.symtable(source, "<cell>", "exec")
    given = {
        symbol.get_name()
        for symbol in module.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Global):
            given |= set(node.names)
    return frozenset(given)


@lru_cache(maxsize=512)
def changed_names(source: str) -> frozenset[str]:
    """The names whose value a source may change without assigning them.

    A value is changed where something in it is assigned, as in `table["a"] = 1`, or where one of
    its methods is called for what it does, as in `words.append("a")`.
    """
    changed: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(
            node.ctx, ast.Store | ast.Del
        ):
            changed |= _base(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            changed |= _base(function) if isinstance(function, ast.Attribute) else set()
    return frozenset(changed)


@lru_cache(maxsize=512)
def imported(source: str) -> frozenset[str]:
    """The names at the top level that a source imports."""
    module = symtable.symtable(source, "<cell>", "exec")
    return frozenset(symbol.get_name() for symbol in module.get_symbols() if symbol.is_imported())


def _base(node: ast.expr) -> set[str]:
    """The name at which a chain such as `model.weights["a"]` begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()
