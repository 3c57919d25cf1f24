"""Make the classes of a module when they are first asked for.

One kubernetes module has five hundred classes, a program uses ten of them, and making them all costs more time and memory than everything that
the program does with them. Such a module is executed with a dictionary for its names that makes a missing one from its bytecode: CPython asks
``__missing__`` of any dictionary that is not exactly a ``dict`` for global names.
"""

import __future__

import ast
import marshal
import re
import zlib
from types import CodeType, ModuleType
from typing import Any

from jsii import _reference_map

LATER = "__later__"
"""The name under which a module keeps the bytecode of its classes, by class."""

CHECKS = re.compile("check_type|_typecheckingstub_.*")
"""Names of functions that serve only argument checks, which lean modules do not have either."""

NEEDLESS = {
    ast.dump(statement)
    for statement in ast.parse("""
from __future__ import annotations
import typeguard
from importlib.metadata import version as _metadata_package_version
TYPEGUARD_MAJOR_VERSION = int(_metadata_package_version('typeguard').split('.')[0])
publication.publish()
""").body
}
"""Statements that lean modules do not have: a flag with which each part of them is compiled anyway, those for argument checks, and one that hides
what is not in ``__all__``, for which it would ask for every class that is."""


class Names(dict[str, Any]):
    """The names of a module."""

    def __missing__(self, name: str) -> Any:
        """Make the class of this name.

        Raises:
            KeyError: there is none.
        """
        code = marshal.loads(zlib.decompress(self.later.pop(name)))
        exec(code, self)
        return self[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is one: Python 3.14 looks before it asks, where it evaluates an annotation that is a single name."""
        return dict.__contains__(self, name) or name in self.later

    @property
    def later(self) -> dict[str, bytes]:
        """Packed bytecode of the classes that nobody has asked for yet."""
        deferred: dict[str, bytes] = dict.get(self, LATER, {})
        return deferred


_modules: list[Names] = []


def enable() -> None:
    """Have jsii find classes that are not made yet.

    Raises:
        LookupError: this Python or this jsii is not such that it can.
    """
    if _reference_map.__dict__.get("_try_import_type_module") is _make:
        return
    if not callable(_original):
        raise LookupError("jsii has another way to find a class by its name")
    if not _supports_missing_hook():
        raise LookupError("this Python does not ask __missing__ for a global name")
    vars(_reference_map)["_try_import_type_module"] = _make


_original: Any = getattr(_reference_map, "_try_import_type_module", None)


def _supports_missing_hook() -> bool:
    names = Names({LATER: {"later": _packed(compile("later = True", __file__, "exec"))}})
    exec("def asked(): return later", names)
    try:
        return bool(names["asked"]())
    except NameError:
        return False


def _make(type_name: str) -> bool:
    """Make the class that jsii knows by this name (``assembly.module.Class``): jsii asks when JavaScript returns one it has not seen."""
    short = type_name.rpartition(".")[2]
    holders = [names for names in _modules if short in names.later]
    for names in holders:
        names[short]
    return bool(holders) or bool(_original(type_name))


def compile_lazily(source: bytes, path: str) -> CodeType:
    """A module's code, in which classes are bytecode. Annotations stay text (PEP 563); docstrings and ``if __debug__`` are left out."""
    classes: dict[str, list[ast.stmt]] = {}
    others: list[ast.stmt] = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ClassDef):
            classes[statement.name] = [statement]
        elif (name := _completed(statement)) in classes:
            classes[name].append(statement)
        elif not _needless(statement):
            others.append(statement)
    later = {name: _packed(_compile(statements, path)) for name, statements in classes.items()}
    constants = ast.Dict([ast.Constant(name) for name in later], [ast.Constant(code) for code in later.values()])
    first = ast.fix_missing_locations(ast.Assign([ast.Name(LATER, ast.Store())], constants, lineno=1))
    return _compile([first, *others], path)


def execute(code: CodeType, module: ModuleType) -> None:
    """Run a module's code that is compiled so."""
    names = Names(vars(module))
    _modules.append(names)

    def find(name: str) -> Any:
        try:
            value = vars(module)[name] = names[name]
        except KeyError:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None
        return value

    vars(module)["__getattr__"] = find
    exec(code, names)
    vars(module).update(names)


def forget(module: ModuleType) -> None:
    """Take back what :func:`execute` did to a module."""
    _modules[:] = [names for names in _modules if names.get("__name__") != module.__name__]
    for name in ("__getattr__", LATER):
        vars(module).pop(name, None)


def _completed(statement: ast.stmt) -> str:
    """The class of which a statement after it sets an attribute (``typing.cast(typing.Any, Class).attribute = ...``)."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Call(args=[*_, ast.Name(id=name)]))]):
            return name
    return ""


def _needless(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef):
        return CHECKS.fullmatch(statement.name) is not None
    return ast.dump(statement) in NEEDLESS


def _packed(code: CodeType) -> bytes:
    return zlib.compress(marshal.dumps(code))


def _compile(statements: list[ast.stmt], path: str) -> CodeType:
    flags = __future__.annotations.compiler_flag
    code: CodeType = compile(ast.Module(statements, []), path, "exec", flags=flags, dont_inherit=True, optimize=2)
    return code
