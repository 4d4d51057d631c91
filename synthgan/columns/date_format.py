"""Dates <-> text, of every year from 1 to 9999: a format language, and the two directions.

A strftime format is a list of directives, each of which spells one field of a date. Reading
looks the spelling of each field up in a short table, writing takes it from the same table,
so one is the reverse of the other, to the letter.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Dates, Ints
from synthgan.errors import SchemaError

Resolution = Literal["D", "h", "min", "s", "ms", "us", "ns"]
"""Unit in which the dates of a column count, numpy's names."""

NANOSECONDS: dict[Resolution, int] = {
    "D": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "min": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
"""Length of each resolution, coarsest first."""


def tick_of(dates: Dates) -> int:
    """Nanoseconds in the unit of ``dates``."""
    unit = np.datetime_data(dates.dtype)[0]
    return NANOSECONDS["min" if unit == "m" else unit]  # type: ignore[index]


def resolution_of(dates: Dates) -> Resolution:
    """The coarsest unit of which all ``dates`` (no NaT) are multiples."""
    step = int(np.gcd.reduce(dates.astype(np.int64))) * tick_of(dates)
    return next(name for name, length in NANOSECONDS.items() if step % length == 0)


# Formats

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_TWO = tuple(f"{i:02d}" for i in range(100))
_ONE = tuple(str(i) for i in range(100))


def _spelling(field: str, pattern: str, numbers: Sequence[str]) -> tuple[str, str, pa.Array]:
    return field, pattern, pa.array(numbers, pa.large_string())


# For each directive the field that it spells, a pattern, and the spelling of each number.
_SPELLINGS = {
    "%Y": _spelling("year", "[0-9]{4}", tuple(f"{i:04d}" for i in range(10_000))),
    "%y": _spelling("short year", "[0-9]{2}", _TWO),
    "%m": _spelling("month", "[0-9]{2}", ("", *_TWO[1:13])),
    "%-m": _spelling("month", "[0-9]{1,2}", ("", *_ONE[1:13])),
    "%b": _spelling("month", "[A-Za-z]{3}", ("", *(name[:3] for name in _MONTHS))),
    "%B": _spelling("month", "[A-Za-z]{3,9}", ("", *_MONTHS)),
    "%d": _spelling("day", "[0-9]{2}", ("", *_TWO[1:32])),
    "%-d": _spelling("day", "[0-9]{1,2}", ("", *_ONE[1:32])),
    "%H": _spelling("hour", "[0-9]{2}", _TWO[:24]),
    "%-H": _spelling("hour", "[0-9]{1,2}", _ONE[:24]),
    "%I": _spelling("half hour", "[0-9]{2}", (_TWO[12], *_TWO[1:12])),
    "%-I": _spelling("half hour", "[0-9]{1,2}", (_ONE[12], *_ONE[1:12])),
    "%p": _spelling("half", "[AP]M", ("AM", "PM")),
    "%M": _spelling("minute", "[0-9]{2}", _TWO[:60]),
    "%S": _spelling("second", "[0-9]{2}", _TWO[:60]),
}
_FRACTIONS = {
    "%3f": "[0-9]{3}",
    "%f": "[0-9]{6}",
    "%9f": "[0-9]{9}",
    "%.f": r"(?:\.[0-9]{0,8}[1-9])?",
}
_DIRECTIVE = re.compile(r"(%(?:-?[A-Za-z]|[39.]f|%))")

# In order of preference, where more than one reads all cells.
_DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d",
    "%m/%d/%Y", "%d/%m/%Y", "%-m/%-d/%Y", "%-d/%-m/%Y",
    "%m/%d/%y", "%d/%m/%y", "%-m/%-d/%y", "%-d/%-m/%y",
    "%d.%m.%Y", "%m.%d.%Y", "%-d.%-m.%Y", "%d.%m.%y", "%-d.%-m.%y",
    "%d-%m-%Y", "%m-%d-%Y", "%-d-%-m-%Y", "%-m-%-d-%Y",
    "%d-%b-%Y", "%-d-%b-%Y", "%d-%b-%y", "%-d-%b-%y", "%d/%b/%Y",
    "%d %b %Y", "%-d %b %Y", "%d %B %Y", "%-d %B %Y",
    "%b %d, %Y", "%b %-d, %Y", "%B %d, %Y", "%B %-d, %Y",
    "%Y-%-m-%-d", "%Y/%-m/%-d",
)  # fmt: skip
_DATE_LIKE = (
    r"^(?P<date>[0-9A-Za-z ,./-]{6,18}?)"
    r"(?:(?P<sep>[T ])(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"(?P<half> ?[AP]M)?(?P<offset> ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$"
)
_SAMPLE = 200


def find_date_format(text: pa.Array, name: str) -> str | None:
    """The first format that reads every cell of ``text`` (large_string, no nulls), or None.

    Reading is strict: :func:`spell_dates` gives the same text back. Raises
    :class:`SchemaError`, naming the column, if the cells differ in their time zones.
    """
    sample = text.slice(0, _SAMPLE)
    like = re.match(_DATE_LIKE, sample[0].as_py())
    if like is None:
        return None
    date = pa.array([like["date"]], pa.large_string())
    for day in _DATE_FORMATS:
        if parse_dates(date, day) is None:
            continue
        if day == "%Y%m%d" and not 1800 <= int(like["date"][:4]) < 2200:
            continue  # more likely a code
        for time in _time_formats(like):
            if all(parse_dates(cells, day + time) is not None for cells in (sample, text)):
                return day + time
    if like["time"]:
        _refuse_mixed_offsets(text, name)
    return None


def _time_formats(like: re.Match[str]) -> list[str]:
    """Formats of the time of day of which ``like`` is an example; with what comes after it."""
    if not like["time"]:
        return [""]
    hours = ("%I", "%-I") if like["half"] else ("%H", "%-H")
    _, colon, rest = like["time"][3:].partition(":")
    fractions = [""]
    if colon:
        digits = len(rest.partition(".")[2])
        fractions = [{0: "", 3: ".%3f", 6: ".%f", 9: ".%9f"}.get(digits, "%.f"), "%.f"]
    half = re.sub("[AP]M", "%p", like["half"] or "")
    return [
        f"{like['sep']}{hour}:%M{':%S' if colon else ''}{fraction}{half}{like['offset'] or ''}"
        for hour in hours
        for fraction in fractions
    ]


def _refuse_mixed_offsets(text: pa.Array, name: str) -> None:
    parts = pc.extract_regex(text, _DATE_LIKE)
    if parts.null_count or len(pc.unique(parts.field("offset"))) == 1:
        return
    fields = [parts.field(part) for part in ("date", "sep", "time", "half")]
    naive = pc.binary_join_element_wise(*fields, pa.scalar("", pa.large_string()))
    if find_date_format(naive, name) is not None:
        raise SchemaError(
            f"column {name!r}: its dates have different time zones; convert them to UTC first, "
            "with pd.to_datetime(column, utc=True)"
        )


def is_date_format(format: str) -> bool:
    """Whether ``format`` holds known directives only, a year among them."""
    pieces = _DIRECTIVE.split(format)
    directives = [piece for piece in pieces[1::2] if piece != "%%"]
    known = all(piece in _SPELLINGS or piece in _FRACTIONS for piece in directives)
    return known and "%" not in "".join(pieces[::2]) and bool({"%Y", "%y"} & set(directives))


_TIME_OF_DAY = re.compile(
    r"[T ]%-?[HI]:%M(?::%S(?:\.%3f|\.%f|\.%9f|%\.f)?)?(?: ?%p)?"
    r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)


def is_usual_date_format(format: str) -> bool:
    """Whether ``format`` is one of those that :func:`find_date_format` knows, so that no text in
    it is a table's own."""
    days = (day for day in _DATE_FORMATS if format.startswith(day))
    rests = (format.removeprefix(day) for day in days)
    return any(not rest or _TIME_OF_DAY.fullmatch(rest) for rest in rests)


# Text to dates


def parse_dates(text: pa.Array, format: str) -> Dates | None:
    """Dates that ``text`` (large_string, no nulls) spells, or None unless all cells do.

    The unit is microseconds, or nanoseconds where cells need it. Time zones are part of the
    format's own text, so the dates are wall time.
    """
    dates = coerce_dates(text, format)
    return None if np.isnat(dates).any() else dates


def coerce_dates(text: pa.Array, format: str) -> Dates:
    """As :func:`parse_dates`, but with NaT for each cell that does not follow ``format``."""
    pieces = _DIRECTIVE.split(format)
    pattern = "".join(_pattern(piece, i) for i, piece in enumerate(pieces))
    groups = pc.extract_regex(text, f"^{pattern}$")
    fits = groups.is_valid().to_numpy(zero_copy_only=False)
    if not fits.any():
        return np.full(len(text), "NaT", dtype="M8[us]")
    groups = groups.drop_null()
    fields: dict[str, Ints] = {}
    for i, piece in enumerate(pieces):
        if piece in _FRACTIONS:
            digits = pc.replace_substring(groups.field(f"g{i}"), ".", "")
            fields["nano"] = pc.utf8_rpad(digits, 9, "0").cast(pa.int64()).to_numpy()
        elif piece in _SPELLINGS:
            field, _, spellings = _SPELLINGS[piece]
            found = pc.fill_null(pc.index_in(groups.field(f"g{i}"), spellings), -1)
            fields[field] = found.to_numpy().astype(np.int64)
    read = _compose(fields, len(groups))
    dates = np.full(len(text), "NaT", dtype=read.dtype)
    dates[fits] = read
    return dates


def _pattern(piece: str, place: int) -> str:
    if piece in _FRACTIONS:
        return f"(?P<g{place}>{_FRACTIONS[piece]})"
    if piece in _SPELLINGS:
        return f"(?P<g{place}>{_SPELLINGS[piece][1]})"
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", "%" if piece == "%%" else piece)


def _compose(fields: dict[str, Ints], rows: int) -> Dates:
    """Dates of ``fields``; NaT where a field is -1 and where there is no such day."""
    zero = np.zeros(rows, dtype=np.int64)
    if "year" in fields:
        year = fields["year"]
    else:  # as POSIX has it
        year = fields["short year"] + np.where(fields["short year"] < 69, 2000, 1900)
    month = (year - 1970) * 12 + fields.get("month", zero + 1) - 1
    months = month.astype("M8[M]")
    days = months.astype("M8[D]") + (fields.get("day", zero + 1) - 1).astype("m8[D]")
    hour = fields.get("hour", zero) + fields.get("half hour", zero) + 12 * fields.get("half", zero)
    second = hour * 3600 + fields.get("minute", zero) * 60 + fields.get("second", zero)
    nano = fields.get("nano", zero)
    dates: Dates = days.astype("M8[us]") + (second * 10**6 + nano // 1000).astype("m8[us]")
    known = np.all([field >= 0 for field in fields.values()], axis=0)
    dates[~known | (year < 1) | (days.astype("M8[M]") != months)] = np.datetime64("NaT", "us")
    if not np.any(nano % 1000):
        return dates
    dates[(year < 1678) | (year > 2261)] = np.datetime64("NaT", "us")  # beyond nanoseconds
    fine: Dates = dates.astype("M8[ns]") + (nano % 1000).astype("m8[ns]")
    return fine


# One text to one date


def read_date(text: str, format: str) -> int | None:
    """Nanoseconds since 1970 of the date that ``text`` spells, None if it does not follow
    ``format``. As :func:`coerce_dates`, but of any year whatever its fraction, as there is no unit
    that cells must share."""
    pattern, pieces = _pattern_of(format)
    found = pattern.fullmatch(text)
    if found is None:
        return None
    fields: dict[str, int] = {}
    for i, piece in pieces:
        written = found[f"g{i}"]
        if piece in _FRACTIONS:
            fields["nano"] = int((written or "").replace(".", "").ljust(9, "0"))
            continue
        number = _numbers_of(piece).get(written)
        if number is None:
            return None
        fields[_SPELLINGS[piece][0]] = number
    return _nanoseconds(fields)


_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<nano>[0-9]{1,9}))?)?)?"
    r"(?P<offset> ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_OFFSET = re.compile(r" ?(?:Z|UTC|GMT|([+-])(\d{2})(?::?(\d{2}))?)$")


def read_iso_date(text: str, *, zoned: bool) -> int | None:
    """The same for a date of ISO 8601, which must have a time zone if it is ``zoned``, and else
    must have none."""
    found = _ISO.fullmatch(text)
    if found is None or (found["offset"] is not None) != zoned:
        return None
    fields = {name: int(found[name] or 0) for name in ("year", "month", "day")}
    fields |= {name: int(found[name] or 0) for name in ("hour", "minute", "second")}
    if fields["hour"] > 23 or max(fields["minute"], fields["second"]) > 59:
        return None
    fields["nano"] = int((found["nano"] or "").ljust(9, "0"))
    read, minutes = _nanoseconds(fields), utc_offset(found["offset"]) if zoned else 0
    return None if read is None or minutes is None else read - minutes * NANOSECONDS["min"]


def utc_offset(format: str) -> int | None:
    """Minutes by which dates whose text ends as ``format`` does are ahead of UTC; None if it does
    not say."""
    found = _OFFSET.search(format)
    if found is None:
        return None
    minutes = int(found[2] or 0) * 60 + int(found[3] or 0)
    return -minutes if found[1] == "-" else minutes


@lru_cache(maxsize=256)
def _pattern_of(format: str) -> tuple[re.Pattern[str], list[tuple[int, str]]]:
    """A pattern, and the directives in it with the number of their group."""
    pieces = list(enumerate(_DIRECTIVE.split(format)))
    pattern = "".join(_pattern(piece, i) for i, piece in pieces)
    return re.compile(pattern), [(i, p) for i, p in pieces if p in _FRACTIONS or p in _SPELLINGS]


@lru_cache(maxsize=64)
def _numbers_of(directive: str) -> dict[str, int]:
    spellings = _SPELLINGS[directive][2].to_pylist()
    return {spelling: number for number, spelling in enumerate(spellings) if spelling}


def _nanoseconds(fields: dict[str, int]) -> int | None:
    if "year" in fields:
        year = fields["year"]
    else:  # as POSIX has it
        year = fields["short year"] + (2000 if fields["short year"] < 69 else 1900)
    try:
        day = datetime.date(year, fields.get("month", 1), fields.get("day", 1)).toordinal()
    except ValueError:
        return None
    hour = fields.get("hour", 0) + fields.get("half hour", 0) + 12 * fields.get("half", 0)
    second = (hour * 60 + fields.get("minute", 0)) * 60 + fields.get("second", 0)
    since = (day - _FIRST_ORDINAL) * 86_400 + second
    return since * 10**9 + fields.get("nano", 0)


_FIRST_ORDINAL = datetime.date(1970, 1, 1).toordinal()


# Dates to text


def spell_dates(dates: Dates, format: str) -> pa.Array:
    """``dates`` (no NaT, years 1 to 9999) as text (large_string), the reverse of
    :func:`parse_dates`."""
    fields = _decompose(dates)
    parts: list[Any] = []
    for piece in _DIRECTIVE.split(format):
        if piece in _FRACTIONS:
            parts.append(_spell_fraction(fields["nano"], piece))
        elif piece in _SPELLINGS:
            field, _, spellings = _SPELLINGS[piece]
            parts.append(spellings.take(pa.array(fields[field])))
        elif piece:
            literal = "%" if piece == "%%" else piece
            parts.append(pa.scalar(literal, pa.large_string()))
    return pc.binary_join_element_wise(*parts, pa.scalar("", pa.large_string()))


def _decompose(dates: Dates) -> dict[str, Ints]:
    # By hand, as numpy overflows near the ends of what nanoseconds reach.
    tick = tick_of(dates)
    day, rest = np.divmod(dates.astype(np.int64), NANOSECONDS["D"] // tick)
    nano = rest * tick
    days = day.astype("M8[D]")
    months = days.astype("M8[M]")
    year = months.astype(np.int64) // 12 + 1970
    second = nano // 10**9
    hour = second // 3600
    return {
        "year": year,
        "short year": year % 100,
        "month": months.astype(np.int64) % 12 + 1,
        "day": (days - months.astype("M8[D]")).astype(np.int64) + 1,
        "hour": hour,
        "half hour": hour % 12,
        "half": hour // 12,
        "minute": second // 60 % 60,
        "second": second % 60,
        "nano": nano % 10**9,
    }


def _spell_fraction(nano: Ints, directive: str) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(nano).cast(pa.large_string()), 9, "0")
    if directive == "%.f":
        point = pa.array(np.where(nano == 0, "", ".")).cast(pa.large_string())
        trimmed = pc.utf8_rtrim(digits, "0")
        return pc.binary_join_element_wise(point, trimmed, pa.scalar("", pa.large_string()))
    return pc.utf8_slice_codeunits(digits, 0, {"%3f": 3, "%f": 6, "%9f": 9}[directive])
