"""In: a JSON value and a dataclass. Out: an instance of it, every field checked, or an error that names the field."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeVar, Union

T = TypeVar("T")


class JobError(Exception):
    """A job that cannot run as it was asked: `where: expected X, got Y; do Z`."""


def checked(kind: type[T], value: Any, where: str) -> T:
    """The value as `kind`: a dataclass, a list of something, an optional or a plain type; unknown fields are refused."""
    result: T = _value(kind, value, where)
    return result


def _value(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(typing.get_args(kind), value, where)
    if origin is typing.Literal:
        return _require(value in typing.get_args(kind), value, where, " or ".join(map(repr, typing.get_args(kind))))
    if origin is list:
        _require(isinstance(value, list), value, where, "a list")
        return [_value(typing.get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if dataclasses.is_dataclass(kind):
        return _fields(kind, value, where)
    if kind is float:
        _require(isinstance(value, (int, float)) and not isinstance(value, bool), value, where, "a number")
        return float(value)
    return _require(type(value) is kind, value, where, kind.__name__)


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    (kind,) = [kind for kind in kinds if kind is not type(None)]
    return _value(kind, value, where)


def _fields(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), value, where, "an object")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise JobError(f"{where}: expected {', '.join(hints)}, got {unknown[0]!r} as well; leave it out")
    missing = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in value
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise JobError(f"{where}: expected {missing[0]!r}, got no such field; add it")
    return kind(**{name: _value(hints[name], item, f"{where}.{name}") for name, item in value.items()})


def _require(holds: bool, value: Any, where: str, wanted: str) -> Any:
    if not holds:
        raise JobError(f"{where}: expected {wanted}, got {value!r}; change it")
    return value
