"""A setting that nothing reads is a defect: each field of each settings class is read somewhere, by its own type.

A small inference follows annotations: parameters, fields of classes, properties, and names assigned from them. Only
an attribute of an expression whose class is known counts, so `seed` of one section is not taken for another's.
"""

import ast
import importlib
import re
import typing
from collections import defaultdict
from collections.abc import Iterator

from dadeum.core.settings import MemberSettings, Settings
from tests.architecture.tree import FAMILIES, FILES, MEMBERS, SOURCE, module_name, parsed

Kinds = set[type[Settings]]


def settings_classes() -> dict[str, type[Settings]]:
    """Every settings class of the sections and the members, by `module.Name`."""
    for file in FILES:
        if file.relative_to(SOURCE).parts[0] == "config":
            importlib.import_module(module_name(file))
    for package, name in MEMBERS:
        FAMILIES[package].member(name)
    found: list[type[Settings]] = [Settings]
    for kind in found:
        found += [c for c in kind.__subclasses__() if c.__module__.startswith("dadeum.") and c not in found]
    return {f"{c.__module__}.{c.__name__}": c for c in found if c not in (Settings, MemberSettings)}


CLASSES = settings_classes()
BY_NAME: dict[str, Kinds] = defaultdict(set)
for _kind in CLASSES.values():
    if not issubclass(_kind, MemberSettings) or _kind.__name__ != "Settings":  # members' bases have names of their own
        BY_NAME[_kind.__name__].add(_kind)


def field_kinds(kind: type[Settings], field: str) -> Kinds:
    """Settings classes that a field of a section holds."""
    found: Kinds = set()
    todo: list[object] = [kind.model_fields[field].annotation]
    for item in todo:
        todo += typing.get_args(item)
        if isinstance(item, type) and issubclass(item, Settings) and item is not MemberSettings:
            found.add(item)
    return found


class Reader(ast.NodeVisitor):
    """Collects (class, field) pairs that one file reads."""

    def __init__(self, module: str, attributes: dict[str, Kinds]) -> None:
        self.module, self.attributes = module, attributes
        self.names: dict[str, Kinds] = {}
        self.read: set[tuple[type[Settings], str]] = set()

    def annotated(self, node: ast.expr | None) -> Kinds:
        """Settings classes that an annotation names."""
        if node is None:
            return set()
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)
        words = set(re.findall(r"\w+", text))
        own = CLASSES.get(f"{self.module}.Settings")
        found = {kind for word in words for kind in BY_NAME.get(word, ())}
        return found | ({own} if own is not None and "Settings" in words else set())

    def kinds(self, node: ast.expr) -> Kinds:
        """Settings classes that an expression may be."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, set())
        if isinstance(node, ast.Attribute):
            base = self.kinds(node.value)
            through = {k for b in base if node.attr in b.model_fields for k in field_kinds(b, node.attr)}
            return through if base else self.attributes.get(node.attr, set())
        if isinstance(node, ast.Subscript):
            return self.kinds(node.value)
        if isinstance(node, ast.IfExp):
            return self.kinds(node.body) | self.kinds(node.orelse)
        if isinstance(node, ast.BoolOp):
            return {k for value in node.values for k in self.kinds(value)}
        if isinstance(node, ast.Call):
            return self.annotated(node.func) | (
                self.kinds(node.func.value)
                if isinstance(node.func, ast.Attribute) and node.func.attr == "model_copy"
                else set()
            )
        return set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before = dict(self.names)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            self.names[argument.arg] = self.annotated(argument.annotation)
        if arguments and arguments[0].arg == "self":
            self.names["self"] = self.own
        self.generic_visit(node)
        self.names = before

    own: Kinds = set()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        before = self.own
        kind = CLASSES.get(f"{self.module}.{node.name}")
        self.own = {kind} if kind else set()
        self.generic_visit(node)
        self.own = before

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    self.names[name.id] = self.kinds(value)

    def visit_For(self, node: ast.For) -> None:
        if isinstance(node.target, ast.Name):
            self.names[node.target.id] = self.kinds(node.iter)
        self.generic_visit(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        for part in node.generators:
            if isinstance(part.target, ast.Name):
                self.names[part.target.id] = self.kinds(part.iter)
        self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self.read |= {(kind, node.attr) for kind in self.kinds(node.value)}
        self.generic_visit(node)


def attributes() -> dict[str, Kinds]:
    """`.experiment`, `.settings` …: what annotated fields, properties and `self.x = x` of ordinary classes hold."""
    found: dict[str, Kinds] = defaultdict(set)
    for file in FILES:
        reader = Reader(module_name(file), {})
        for node in ast.walk(parsed(file)):
            if not isinstance(node, ast.ClassDef) or f"{reader.module}.{node.name}" in CLASSES:
                continue
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    found[line.target.id] |= reader.annotated(line.annotation)
                if isinstance(line, ast.FunctionDef):
                    if any(
                        isinstance(d, ast.Name) and d.id in ("property", "cached_property") for d in line.decorator_list
                    ):
                        found[line.name] |= reader.annotated(line.returns)
                    reader.names = {
                        a.arg: reader.annotated(a.annotation) for a in line.args.args + line.args.kwonlyargs
                    }
                    for target, value in _own_assignments(line):
                        found[target] |= reader.kinds(value)
    return found


def _own_assignments(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (
                    zip(target.elts, node.value.elts, strict=False)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else [(target, node.value)]
                )
                for left, right in pairs:
                    if isinstance(left, ast.Attribute) and isinstance(left.value, ast.Name) and left.value.id == "self":
                        yield left.attr, right


def everything_read() -> set[tuple[str, str]]:
    """(class, field) of every setting that some file reads, the class by `module.Name`."""
    known = attributes()
    read = set()
    for file in FILES:
        reader = Reader(module_name(file), known)
        reader.visit(parsed(file))
        # What is read of a base is read of all that inherit it.
        read |= {
            (name, field) for kind, field in reader.read for name, heir in CLASSES.items() if issubclass(heir, kind)
        }
    return read


READ = everything_read()


def declared() -> list[tuple[str, str]]:
    """Fields of each class that is used; a base of members is there for its heirs, and each of them counts."""
    bases = {base for kind in CLASSES.values() for base in kind.__mro__[1:]}
    used = {name: kind for name, kind in CLASSES.items() if kind not in bases}
    return [(name, field) for name, kind in used.items() for field in kind.model_fields if field != "type"]


def test_every_setting_is_read() -> None:
    unread = [f"{kind}.{field}" for kind, field in declared() if (kind, field) not in READ]
    assert unread == []


def test_the_inference_tells_sections_apart_and_sees_nothing_where_there_is_nothing() -> None:
    code = """
def a(data: DataSettings, other: object) -> None:
    split = data.split
    print(split.seed, other.max_length, data.nothing)
"""
    reader = Reader("dadeum.somewhere", {})
    reader.visit(ast.parse(code))
    assert {(kind.__name__, field) for kind, field in reader.read} == {
        ("DataSettings", "split"),
        ("SplitSettings", "seed"),
        ("DataSettings", "nothing"),
    }
    reader.visit(ast.parse("def b(seed, train):\n    return train.seed + seed.test"))
    assert ("TrainSettings", "seed") not in {(kind.__name__, field) for kind, field in reader.read}
