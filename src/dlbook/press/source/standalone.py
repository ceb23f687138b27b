"""A block together with all that it takes from the book, to run where the book is not installed.

The definitions behind its imports stand in front of it, with all that they need in turn: modules
in reading order, definitions in the order of the source, without docstrings, imports on top. In
one program every name means one thing. Where two definitions share a name, or the block takes one
for a variable of its own, the definition gets that of its module in front: `layer` of `dlbook.mlp`
becomes `mlp_layer`.
"""

import ast
import builtins
import re
import symtable
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from itertools import pairwise

from dlbook.checkout import ROOT, chapters
from dlbook.press.source.dependencies import imports_of
from dlbook.press.source.listings import module_path, names_bound_by, parsed, source_of

PACKAGES = {"matplotlib", "numpy", "scipy", "sklearn", "torch", "torchvision", "tqdm"}
PROVIDED = PACKAGES | sys.stdlib_module_names  # scipy comes with scikit-learn
BUILTIN = frozenset(dir(builtins))


@dataclass(frozen=True)
class Thing:
    """What a name stands for.

    Attributes:
        module: `knn`, below `dlbook`; or `torch.nn`, of another package.
        name: in that module; `*` for the module itself.
        of_book: whether the module is one of the book.
    """

    module: str
    name: str
    of_book: bool = True


NAMESPACE = Thing("types", "SimpleNamespace", of_book=False)


@dataclass(frozen=True, eq=False)
class Statement:
    """A definition at the top of a module, or a whole block.

    Attributes:
        used: the names that it takes from around it.
        bound: the names that it gives to what stands around it.
        local: the names that mean something else somewhere inside it.
        attributes: (name, attribute) pairs, such as `digits.load`.
        bare: the names that stand somewhere without an attribute.
    """

    node: ast.AST
    used: frozenset[str]
    bound: frozenset[str]
    local: frozenset[str]
    attributes: frozenset[tuple[str, str]]
    bare: frozenset[str]


@dataclass(frozen=True, eq=False)
class Unit:
    """The text of a module, or of a block: names mean the same all over it.

    Attributes:
        module: below `dlbook`; empty for a block.
        lines: of the text.
        statements: those that define something, in order.
        meanings: what the names at its top stand for.
        submodules: modules such as `torch.nn` that it imports under the name of their package.
    """

    module: str
    lines: list[str]
    statements: list[Statement]
    meanings: dict[str, Thing]
    submodules: frozenset[str]


@dataclass
class Collection:
    """What a block reaches.

    Attributes:
        things: in the order in which they are found, each with the name it has there.
        statements: of each module the positions of those that are needed.
        attributes: of each module that is taken whole the names that are asked for.
        submodules: modules such as `torch.nn` that are imported under the name of their package.
        builtins: what the definitions take from Python itself, such as `sum`.
    """

    things: dict[Thing, str] = field(default_factory=dict)
    statements: dict[str, set[int]] = field(default_factory=dict)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    submodules: set[str] = field(default_factory=set)
    builtins: set[str] = field(default_factory=set)


def standalone(code: str) -> str:
    """Write a program that needs the book as one that does not.

    Args:
        code: a complete program, such as a block of a page.

    Returns:
        a program that prints the same; the given one if it needs nothing of the book.

    Raises:
        LookupError: it needs a file or a package that a reader may lack, takes a module in a way
            that only the package can serve, or names clash; the message says which.
        SyntaxError: it is no program.
    """
    block = _unit_of_block(code)
    if not any(thing.of_book for thing in block.meanings.values()):
        return code
    found = _reached(block)
    names = _names(block, found)
    modules = [name for name in _in_order(found.statements) if found.statements[name]]
    parts = [part for name in modules for part in _definitions(name, found, names)]
    tail = _block(block, names)
    imports = _imports(found, names)
    texts = (_header(modules), imports, _spaced(parts), tail)
    return "\n\n\n".join(text.strip("\n") for text in texts if text.strip()) + "\n"


def _header(modules: Iterable[str]) -> str:
    """Say where the definitions come from, and under which license."""
    return (
        f"# From dlbook {version_of_book()}: {', '.join(modules)}. {license_of_book()}."
    )


@cache
def version_of_book() -> str:
    """Give the version of the package that is installed."""
    return version("dlbook")


@cache
def license_of_book() -> str:
    """Name the license and its owner, as the file `LICENSE` does."""
    lines = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
    license_name = lines[0].removesuffix("License").strip()
    owner = next(line.strip() for line in lines if line.startswith("Copyright"))
    return f"{license_name} license. {owner}"


# Reading


@cache
def _unit_of_block(code: str) -> Unit:
    tree = ast.parse(code)
    statement = _statement(tree, code)
    return Unit("", code.split("\n"), [statement], _meanings(tree, ""), _submodules(tree))


def unit(module: str) -> Unit:
    """Read a module of the book, again only after a change.

    Args:
        module: below `dlbook`, such as `knn`.

    Raises:
        LookupError: there is no such module, or it does at its top what is no definition.
    """
    path = module_path(module)
    if not path.is_file():
        raise LookupError(f"there is no module dlbook.{module}")
    return _unit(module, path.stat().st_mtime_ns)


@cache
def _unit(module: str, _changed: int) -> Unit:
    lines, tree = parsed(module_path(module))
    statements = []
    for node in tree.body:
        if names_bound_by(node):
            statements.append(_statement(node, source_of(node, lines)))
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_text(node):
            raise LookupError(f"dlbook.{module}:{node.lineno} is no definition")
    return Unit(module, lines, statements, _meanings(tree, module), _submodules(tree))


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _statement(node: ast.AST, source: str) -> Statement:
    """Look how a text uses names; `symtable` knows which of them Python finds around it."""
    used, bound, local = set(), set(), set()
    top = symtable.symtable(source, "<source>", "exec")
    for symbol in top.get_symbols():
        if symbol.is_referenced():
            used.add(symbol.get_name())
        if symbol.is_assigned() or symbol.is_namespace() or symbol.is_imported():
            bound.add(symbol.get_name())
    for symbol in (symbol for table in _inside(top) for symbol in table.get_symbols()):
        (used if symbol.is_global() else local).add(symbol.get_name())
        if symbol.is_global() and symbol.is_assigned():
            bound.add(symbol.get_name())
    parts = list(ast.walk(node))
    pairs = [
        (part.value, part.attr)
        for part in parts
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
    ]
    owners = {owner for owner, _ in pairs}
    attributes = {(owner.id, attribute) for owner, attribute in pairs}
    bare = {p.id for p in parts if isinstance(p, ast.Name) and p not in owners}
    return Statement(node, *map(frozenset, (used, bound, local, attributes, bare)))


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)


def _meanings(tree: ast.Module, module: str) -> dict[str, Thing]:
    """Say what the names at the top of a text stand for, as far as the text alone tells it."""
    found = {}
    for node in tree.body:
        if module:
            found |= {name: Thing(module, name) for name in names_bound_by(node)}
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = Thing(whole, "*", of_book=False)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    raise LookupError(f"line {node.lineno} imports what it does not name")
                thing = Thing(node.module or "", alias.name, of_book=False)
                found[alias.asname or alias.name] = thing
    inside = imports_of(tree)
    return found | {name: Thing(*target) for name, target in inside.items()}


def _submodules(tree: ast.Module) -> frozenset[str]:
    imports = [node for node in tree.body if isinstance(node, ast.Import)]
    names = [alias for node in imports for alias in node.names]
    return frozenset(a.name for a in names if "." in a.name and not a.asname)


# Collecting


def _reached(block: Unit) -> Collection:
    """Collect what a block needs, what that needs, and so on."""
    found = Collection()
    waiting = [(block, block.statements[0])]
    while waiting:
        where, statement = waiting.pop()
        for name in sorted(statement.used & where.meanings.keys()):
            thing = where.meanings[name]
            found.things.setdefault(thing, name)
            for each in _asked_of(thing, name, statement, found):
                found.things.setdefault(each, each.name)
                waiting += _needed(each, found)
            if not thing.of_book:
                below = {s for s in where.submodules if s.startswith(f"{name}.")}
                found.submodules |= below
        if where.module:
            _require_no_file(where, statement)
            found.builtins |= (statement.used & BUILTIN) - where.meanings.keys()
    return found


def _require_no_file(where: Unit, statement: Statement) -> None:
    """Refuse what looks for its own place, to read what lies beside it."""
    if "__file__" in statement.used:
        raise LookupError(f"dlbook.{where.module} reads a file of the package")


def _asked_of(
    thing: Thing, name: str, statement: Statement, found: Collection
) -> list[Thing]:
    """List what is asked of a module that is taken whole, such as `digits.load`, and note it."""
    if not (thing.of_book and thing.name == "*"):
        return [thing]
    if name in statement.bare:
        raise LookupError(f"dlbook.{thing.module} is taken whole, not by its definitions")
    asked = {attribute for owner, attribute in statement.attributes if owner == name}
    found.attributes.setdefault(thing.module, set()).update(asked)
    found.statements.setdefault(thing.module, set())
    found.things.setdefault(NAMESPACE, NAMESPACE.name)
    return [Thing(thing.module, attribute) for attribute in sorted(asked)]


def _needed(thing: Thing, found: Collection) -> list[tuple[Unit, Statement]]:
    """List the statements behind a name that are not yet collected, and note them."""
    if not thing.of_book:
        package = thing.module.partition(".")[0]
        if package not in PROVIDED:
            raise LookupError(f"{package} must be installed")
        return []
    where = unit(thing.module)
    home = where.meanings.get(thing.name)
    if home is None:
        raise LookupError(f"no definition {thing.name!r} in dlbook.{thing.module}")
    if home != thing:
        raise LookupError(
            f"{thing.name!r} is imported by dlbook.{thing.module}, not defined"
        )
    kept = found.statements.setdefault(thing.module, set())
    new = [
        number
        for number, statement in enumerate(where.statements)
        if thing.name in names_bound_by(statement.node) and number not in kept
    ]
    kept.update(new)
    return [(where, where.statements[number]) for number in new]


def _in_order(modules: Iterable[str]) -> list[str]:
    """Sort modules in reading order, each behind those that it imports."""
    order = {word: number for number, word in enumerate(chapters())}
    waiting = sorted(modules, key=lambda name: (order.get(name, -1), name))
    found: list[str] = []

    def visit(module: str) -> None:
        if module not in found:
            things = unit(module).meanings.values()
            for other in waiting:
                if other != module and any(
                    t.of_book and t.module == other for t in things
                ):
                    visit(other)
            found.append(module)

    for module in waiting:
        visit(module)
    return found


# Naming


def _names(block: Unit, found: Collection) -> dict[Thing, str]:
    """Give everything that is collected a name that nothing else has.

    Raises:
        LookupError: there is none.
    """
    (statement,) = block.statements
    variables = _variables(statement)
    given: dict[Thing, str] = {}
    for name, thing in block.meanings.items():  # the block stays as it is
        if thing in found.things and name not in variables:
            given.setdefault(thing, name)
    taken = variables | set(given.values()) | (statement.bound - block.meanings.keys())
    for thing in found.things:
        if thing not in given:
            given[thing] = _free_name(thing, found.things[thing], taken)
            taken.add(given[thing])
    hidden = BUILTIN & set(given.values()) | found.builtins & variables
    if hidden:
        raise LookupError(f"{min(hidden)!r} hides what Python calls so")
    return given


def _variables(statement: Statement) -> set[str]:
    """Name what a block binds by more than an import."""
    tree = statement.node
    imports = ast.Import | ast.ImportFrom
    rest = [node for node in tree.body if not isinstance(node, imports)]
    source = ast.unparse(ast.Module(rest, []))
    return set(_statement(tree, source).bound)


def _free_name(thing: Thing, wanted: str, taken: set[str]) -> str:
    last = thing.module.rpartition(".")[2]
    own = last if thing.name == "*" else f"{last}_{wanted.lstrip('_')}"
    for name in (wanted, f"_{own}" if wanted.startswith("_") else own):
        if name not in taken and name not in BUILTIN:
            return name
    raise LookupError(f"the name {wanted!r} of {thing.module} means something else, too")


# Writing


def _imports(found: Collection, names: dict[Thing, str]) -> str:
    """Write what is imported from other packages: the standard library, then the rest."""
    plain = {f"import {module}": module for module in found.submodules}
    chosen: dict[str, list[str]] = {}
    for thing, name in names.items():
        if thing.of_book:
            continue
        if thing.name == "*":
            rename = f" as {name}" if name != thing.module else ""
            plain[f"import {thing.module}{rename}"] = thing.module
        else:
            rename = f" as {name}" if name != thing.name else ""
            chosen.setdefault(thing.module, []).append(f"{thing.name}{rename}")
    lines = [(module, 0, line) for line, module in plain.items()]
    lines += [
        (module, 1, f"from {module} import {', '.join(sorted(set(inside)))}")
        for module, inside in chosen.items()
    ]
    ordered = sorted(lines, key=lambda line: (line[1], line[2]))
    groups: tuple[list[str], list[str]] = ([], [])
    for module, _, line in ordered:
        groups[module.partition(".")[0] not in sys.stdlib_module_names].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group)


def _definitions(
    module: str, found: Collection, names: dict[Thing, str]
) -> Iterator[str]:
    """Write what is needed of one module."""
    where = unit(module)
    for number in sorted(found.statements[module]):
        statement = where.statements[number]
        yield _written(where, statement, names)
    if module in found.attributes:
        inside = [(name, names[Thing(module, name)]) for name in found.attributes[module]]
        arguments = ", ".join(f"{name}={new}" for name, new in sorted(inside))
        yield f"{names[Thing(module, '*')]} = {names[NAMESPACE]}({arguments})"


def _written(where: Unit, statement: Statement, names: dict[Thing, str]) -> str:
    """Write one definition with the comment above it, without docstrings, under its new names."""
    changes = {
        name: names[where.meanings[name]]
        for name in (statement.used | statement.bound) & where.meanings.keys()
        if names.get(where.meanings[name], name) != name
    }
    _require_renamable(where, statement, changes)
    return _rewritten(where, statement, frozenset(changes.items()))


@cache  # most definitions stand in many programs
def _rewritten(where: Unit, statement: Statement, renamed: frozenset) -> str:
    node = statement.node
    first = min(part.lineno for part in [node, *getattr(node, "decorator_list", [])])
    while where.lines[first - 2].startswith("#"):
        first -= 1
    lines = {
        number: where.lines[number - 1] for number in range(first, node.end_lineno + 1)
    }
    _rename(lines, node, dict(renamed))
    for node in ast.walk(statement.node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            _drop_docstring(lines, node)
    return "\n".join(line for line in lines.values() if line is not None)


def _require_renamable(
    where: Unit, statement: Statement, changes: dict[str, str]
) -> None:
    """Refuse a new name that would mean something else inside a definition."""
    for old, new in changes.items():
        if old in statement.local or new in statement.local | statement.used:
            place = f"dlbook.{where.module}:{statement.node.lineno}"
            raise LookupError(f"{place}: {old!r} cannot be called {new!r}: names clash")


def _rename(lines: dict[int, str], node: ast.AST, changes: dict[str, str]) -> None:
    """Replace names, from the right to the left, so that the places stay."""
    found = [
        (part.lineno, part.col_offset, part.id)
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and part.id in changes
    ]
    for number, column, old in sorted(found, reverse=True):
        line = lines[number].encode()  # columns count bytes
        after = line[column + len(old.encode()) :]
        lines[number] = (line[:column] + changes[old].encode() + after).decode()
    if getattr(node, "name", None) in changes:
        head = partial(
            re.sub, rf"\b(def|class) {node.name}\b", rf"\1 {changes[node.name]}"
        )
        lines[node.lineno] = head(lines[node.lineno], count=1)


def _drop_docstring(lines: dict[int, str | None], node: ast.AST) -> None:
    first = node.body[0]
    if not _is_text(first):
        return
    margin = " " * first.col_offset
    for number in range(first.lineno, first.end_lineno + 1):
        lines[number] = None
    if len(node.body) == 1:
        lines[first.lineno] = f"{margin}pass"
    elif not (lines.get(first.end_lineno + 1) or "x").strip():
        lines[first.end_lineno + 1] = None


def _spaced(parts: list[str]) -> str:
    """Join definitions: two empty lines around functions and classes, none between values."""
    text = parts[0] if parts else ""
    for before, after in pairwise(parts):
        is_open = any(
            re.search(r"^(def|class|@)", part, re.M) for part in (before, after)
        )
        text += ("\n\n\n" if is_open else "\n") + after
    return text


def _block(block: Unit, names: dict[Thing, str]) -> str:
    """Write the block without its imports, which stand on top or are names by now."""
    (statement,) = block.statements
    lines = dict(enumerate(block.lines, start=1))
    for node in statement.node.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        again, meant = [], _meanings(ast.Module([node], []), "")
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            thing = block.meanings[name]
            if meant[name] != thing:
                raise LookupError(
                    f"line {node.lineno} imports another {name!r} than before"
                )
            if thing in names and names[thing] != name:
                again.append(f"{name} = {names[thing]}")
        for number in range(node.lineno, node.end_lineno + 1):
            lines[number] = None
        if again:
            lines[node.lineno] = "\n".join(again)
    _require_free_of_the_book(statement.node)
    return "\n".join(line for line in lines.values() if line is not None).strip()


def _require_free_of_the_book(tree: ast.Module) -> None:
    """Refuse an import that stands inside a function or a branch of the block."""
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        inside = id(node) not in top
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if inside and any(name.partition(".")[0] == "dlbook" for name in names):
            raise LookupError(
                f"line {node.lineno} imports from the book inside a statement"
            )
