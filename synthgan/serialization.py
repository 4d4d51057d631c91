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
from collections.abc import Callable, Sized
from enum import Enum
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_TAG = "rule"  # a class attribute that tells the dataclasses of a union apart, first in the JSON

_UNSAID = "unsaid"
_MOST = "at most"

LONGEST = 2**20
"""Entries that a list or an object has at most, and characters that a text has."""


def added(unsaid: object) -> dict[str, object]:
    """Metadata of a field that earlier versions lack.

    A file without the field means ``unsaid``, and a field that holds it is not written, so that
    earlier versions read the rest.
    """
    return {_UNSAID: unsaid}


def at_most(entries: int) -> dict[str, object]:
    """Metadata of a field that holds a list, an object or a text: how long it may be.

    Without it that is :data:`LONGEST`.
    """
    return {_MOST: entries}


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
    try:
        built: T = _reader(cls)(value)  # type: ignore[arg-type]  # types are hashable
    except _WrongError as error:
        raise ValueError(f"{where}{''.join(reversed(error.steps))}: {error.what}") from None
    return built


_Read = Callable[[object], Any]


class _WrongError(ValueError):
    """What is wrong with a value. Its place is put together on the way out, a step at a time, so
    that nothing is spent on places where nothing is wrong."""

    def __init__(self, what: str, *steps: str) -> None:
        super().__init__(what)
        self.what, self.steps = what, list(steps)


@cache
def _reader(hint: Any) -> _Read:
    """What builds a value of the type ``hint`` from plain ones. Types are looked into once."""
    if dataclasses.is_dataclass(hint):
        return _dataclass_reader(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return partial(_read_enum, hint)
    origin = get_origin(hint)
    if origin is Literal:
        return partial(_read_literal, get_args(hint))
    if origin in (Union, types.UnionType):
        return _union_reader(get_args(hint))
    if origin is tuple:
        return partial(_read_list, _reader(get_args(hint)[0]))
    if origin is dict:
        return partial(_read_object, _reader(get_args(hint)[1]))
    return partial(_read_scalar, hint)


def _read_list(item: _Read, value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _WrongError("must be a list")
    _check_length(value, LONGEST)
    found: list[Any] = []
    try:
        for each in value:
            found.append(item(each))
    except _WrongError as error:
        error.steps.append(f"[{len(found)}]")
        raise
    return tuple(found)


def _read_object(item: _Read, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError("must be an object")
    _check_length(value, LONGEST)
    found: dict[str, Any] = {}
    for key, each in value.items():
        if not is_unicode(key):
            raise _WrongError(_HALF, ": a key")
        try:
            found[key] = item(each)
        except _WrongError as error:
            error.steps.append(f".{_short(key)}")
            raise
    return found


def _dataclass_reader(hint: Any) -> _Read:
    hints = get_type_hints(hint)
    fields = {field.name: field for field in dataclasses.fields(hint) if field.init}
    readers = {n: _bounded(_reader(hints[n]), f.metadata.get(_MOST)) for n, f in fields.items()}
    unsaid = {n: f.metadata[_UNSAID] for n, f in fields.items() if _UNSAID in f.metadata}
    needed = [
        name
        for name, field in fields.items()
        if name not in unsaid
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise _WrongError("must be an object")
        if not value.keys() <= readers.keys():
            unknown = min(str(key) for key in value.keys() - readers.keys())
            raise _WrongError(f"unknown key {_short(unknown)!r}; known are {sorted(fields)}")
        built = dict(unsaid)
        for name, each in value.items():
            try:
                built[name] = readers[name](each)
            except _WrongError as error:
                error.steps.append(f".{name}")
                raise
        for name in needed:
            if name not in built:
                raise _WrongError(f"key {name!r} is missing")
        return hint(**built)

    return read


def _bounded(read: _Read, most: int | None) -> _Read:
    """``read``, of which the length is looked at first: what is too long is not built."""
    if most is None:
        return read

    def read_bounded(value: object) -> Any:
        if isinstance(value, list | dict | str):
            _check_length(value, most)
        return read(value)

    return read_bounded


def _check_length(value: Sized, most: int) -> None:
    if len(value) > most:
        what = "characters" if isinstance(value, str) else "entries"
        raise _WrongError(f"must have at most {most:,} {what}, but has {len(value):,}")


def check_lengths(value: object, where: str) -> None:
    """Raises ``ValueError``, naming the place, if :func:`from_plain` would find something in
    ``value``, of dataclasses, to be too long."""
    try:
        _check_lengths(value, LONGEST)
    except _WrongError as error:
        raise ValueError(f"{where}{''.join(reversed(error.steps))}: {error.what}") from None


def _check_lengths(value: object, most: int) -> None:
    step = ""
    try:
        if isinstance(value, tuple | dict | str):
            _check_length(value, most)
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                step = f".{field.name}"
                _check_lengths(getattr(value, field.name), field.metadata.get(_MOST, LONGEST))
        elif isinstance(value, tuple | dict):
            of = value.items() if isinstance(value, dict) else enumerate(value)
            for key, each in of:
                if isinstance(each, _WITH_LENGTHS) or dataclasses.is_dataclass(each):
                    step = f".{_short(key)}" if isinstance(key, str) else f"[{key}]"
                    _check_lengths(each, LONGEST)
    except _WrongError as error:
        error.steps += [step] * bool(step)
        raise


_WITH_LENGTHS = (tuple, dict, str)


def _read_enum(hint: type[Enum], value: object) -> Enum:
    try:
        return hint(value)
    except ValueError:
        allowed = [member.value for member in hint]
        raise _WrongError(f"must be one of {allowed}") from None


def _read_literal(options: tuple[Any, ...], value: object) -> object:
    if value not in options:
        raise _WrongError(f"must be one of {list(options)}")
    return value


def _union_reader(options: tuple[Any, ...]) -> _Read:
    tagged = {getattr(option, _TAG): option for option in options if hasattr(option, _TAG)}
    if tagged:
        return partial(_read_tagged, {tag: _reader(option) for tag, option in tagged.items()})
    scalars = {option: _reader(option) for option in options if option in _SCALARS}
    readers = [_reader(option) for option in options]

    def read(value: object) -> Any:
        exact = scalars.get(type(value))
        if exact is not None:  # no other option would take it, or it would be another value
            return exact(value)
        reasons = []
        for each in readers:
            try:
                return each(value)
            except ValueError as error:
                reasons.append(error)
        raise reasons[0] if len(readers) <= 2 else _WrongError("has no allowed form")

    return read


def _read_tagged(options: dict[str, _Read], value: object) -> Any:
    if not isinstance(value, dict):
        raise _WrongError("must be an object")
    tag = value.get(_TAG)
    if not isinstance(tag, str) or tag not in options:
        raise _WrongError(f"must be one of {list(options)}", f".{_TAG}")
    return options[tag]({key: each for key, each in value.items() if key != _TAG})


_LARGEST = 2**1023
_SCALARS = (type(None), bool, int, float, str)
_HALF = "holds half a character (a lone surrogate)"


def _read_scalar(hint: Any, value: object) -> Any:
    if hint is float and type(value) in (int, float):
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _WrongError("must be finite")
        return number
    if type(value) is not hint:
        raise _WrongError("must be null" if hint is type(None) else f"must be {hint.__name__}")
    if type(value) is int and abs(value) > _LARGEST:
        raise _WrongError("must not be beyond what a float can hold")
    if isinstance(value, str):
        _check_length(value, LONGEST)
        if not is_unicode(value):
            raise _WrongError(_HALF)
    return value


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can express ``text``: JSON can spell halves of characters, and no file can
    hold them."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
