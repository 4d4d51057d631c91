"""Frozen dataclasses to plain JSON values and back, strictly.

:func:`from_plain` accepts exactly what :func:`to_plain` writes: an unknown key, a missing
key, a wrong type or a number that is not finite raises ``ValueError`` naming the place.
A model file may come from a stranger; nothing here builds anything but the dataclasses
that the caller asked for.
"""

from __future__ import annotations

import dataclasses
import math
import types
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_TAG = "rule"  # a class attribute that tells the dataclasses of a union apart, first in the JSON

_UNSAID = "unsaid"


def added(unsaid: object) -> dict[str, object]:
    """Metadata of a field that earlier versions lack.

    A file without the field means ``unsaid``, and a field that holds it is not written, so that
    earlier versions read the rest.
    """
    return {_UNSAID: unsaid}


T = TypeVar("T")

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What JSON can hold."""


def to_plain(value: object, *, skip_defaults: bool = False) -> Plain:
    """A dataclass, enum, tuple, mapping or scalar as plain JSON values.

    With ``skip_defaults``, fields that hold their default are left out, for files that
    people edit.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        tag = getattr(value, _TAG, None)
        return ({} if tag is None else {_TAG: tag}) | {
            field.name: to_plain(getattr(value, field.name), skip_defaults=skip_defaults)
            for field in dataclasses.fields(value)
            if not _goes_unsaid(field, getattr(value, field.name), skip_defaults=skip_defaults)
        }
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, tuple | list):
        return [to_plain(item, skip_defaults=skip_defaults) for item in value]
    if isinstance(value, dict):
        return {str(k): to_plain(v, skip_defaults=skip_defaults) for k, v in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _goes_unsaid(field: dataclasses.Field[Any], value: object, *, skip_defaults: bool) -> bool:
    if _UNSAID in field.metadata:
        return bool(value == field.metadata[_UNSAID])
    return skip_defaults and bool(value == field.default)


def from_plain(cls: type[T], value: object, where: str = "value") -> T:
    """The reverse of :func:`to_plain`, for a dataclass ``cls``.

    Raises ``ValueError`` naming the place (``schema.columns[3].kind``) for anything that
    :func:`to_plain` would not have written.
    """
    built: T = _build(cls, value, where)
    return built


def _build(hint: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build_dataclass(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _build_enum(hint, value, where)
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{where}: must be one of {list(get_args(hint))}")
        return value
    if origin in (Union, types.UnionType):
        return _build_union(get_args(hint), value, where)
    if origin is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, list):
            raise ValueError(f"{where}: must be a list")
        return tuple(_build(item, each, f"{where}[{i}]") for i, each in enumerate(value))
    if origin is dict:
        item = get_args(hint)[1]
        if not isinstance(value, dict):
            raise ValueError(f"{where}: must be an object")
        return {
            _build_scalar(str, key, f"{where}: a key"): _build(item, each, f"{where}.{key}")
            for key, each in value.items()
        }
    return _build_scalar(hint, value, where)


def _build_dataclass(hint: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: must be an object")
    hints = get_type_hints(hint)
    fields = {field.name: field for field in dataclasses.fields(hint) if field.init}
    unknown = sorted(str(key) for key in value.keys() - fields.keys())
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; known are {sorted(fields)}")
    built = {}
    for name, field in fields.items():
        if name in value:
            built[name] = _build(hints[name], value[name], f"{where}.{name}")
        elif _UNSAID in field.metadata:
            built[name] = field.metadata[_UNSAID]
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{where}: key {name!r} is missing")
    return hint(**built)


def _build_enum(hint: type[Enum], value: object, where: str) -> Enum:
    try:
        return hint(value)
    except ValueError:
        allowed = [member.value for member in hint]
        raise ValueError(f"{where}: must be one of {allowed}") from None


def _build_union(options: tuple[Any, ...], value: object, where: str) -> Any:
    tagged = {getattr(option, _TAG): option for option in options if hasattr(option, _TAG)}
    if tagged:
        return _build_tagged(tagged, value, where)
    reasons = []
    for option in options:
        try:
            return _build(option, value, where)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(reasons[0] if len(options) <= 2 else f"{where}: has no allowed form")


def _build_tagged(options: dict[str, Any], value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: must be an object")
    tag = value.get(_TAG)
    if not isinstance(tag, str) or tag not in options:
        raise ValueError(f"{where}.{_TAG}: must be one of {list(options)}")
    rest = {key: each for key, each in value.items() if key != _TAG}
    return _build_dataclass(options[tag], rest, where)


def _build_scalar(hint: Any, value: object, where: str) -> Any:
    if hint is type(None):
        if value is not None:
            raise ValueError(f"{where}: must be null")
        return None
    if hint is float and type(value) in (int, float):
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{where}: must be finite")
        return number
    if type(value) is not hint:
        raise ValueError(f"{where}: must be {hint.__name__}")
    if isinstance(value, str) and not is_unicode(value):
        raise ValueError(f"{where}: holds half a character (a lone surrogate)")
    return value


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can express ``text``: JSON can spell halves of characters, and no file can
    hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
