"""Numbers <-> text as people write them: ``$1,234.50``, ``45 %``, ``1.234,50 €``, ``01:30:00``,
and durations as pandas writes them: ``0 days 01:30:00``.

A *pattern* shows how a number is written: what stands before and after it, whether thousands
are set apart and by what, the decimal mark, the digits after it. Reading follows the pattern
to the letter but for the sign's place and for thousands that are not set apart; writing gives
back the text that was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa

from synthgan._typing import Floats, Objects

_APART = " ,.'\u2019\u00a0\u202f"
_PATTERN = re.compile(
    rf"(?P<before>[^0#;()]*?)(?P<inner>-?)"
    rf"(?:(?P<days>0 days )?(?P<clock>00?(?::00){{1,2}})|#(?P<apart>[{_APART}])##0|0)"
    r"(?:(?P<mark>[.,])(?P<places>0{1,12}|#{1,12}))?(?P<after>[^0#;()]*)"
)
_MOST_DIGITS = 15  # a float keeps so many


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """How the numbers of a column are written, see ``Column.format``."""

    before: str = ""
    after: str = ""
    apart: str = ""
    """What sets thousands apart."""
    mark: str = "."
    places: int = 0
    """Digits after the mark, at most."""
    fixed: bool = True
    """Whether zeros at the end are written."""
    inner: bool = False
    """Whether the minus stands after what comes before the number: ``$-5``."""
    brackets: bool = False
    """Whether numbers below zero are in brackets: ``(5)``."""
    days: bool = False
    """Whether days stand before the clock, and a fraction of a second has 6 digits or 9; or, if
    zeros are not ``fixed``, none where it is 0."""
    clock: tuple[int, int] | None = None
    """Digits of the first field at least, and number of fields after it, each of 60 units."""

    @staticmethod
    @lru_cache(maxsize=1024)
    def of(pattern: str) -> Spelling | None:
        """What ``pattern`` shows, or None if it is none."""
        plain, semicolon, negative = pattern.partition(";")
        found = _PATTERN.fullmatch(plain)
        if found is None or (semicolon and negative != f"({plain})"):
            return None
        places = found["places"] or ""
        if found["apart"] and found["apart"] == found["mark"]:
            return None
        fields = (found["clock"] or "").split(":")
        if found["days"] and plain not in _DAYS:
            return None
        return Spelling(
            days=bool(found["days"]),
            before=found["before"],
            after=found["after"],
            apart=found["apart"] or "",
            mark=found["mark"] or ".",
            places=len(places),
            fixed="#" not in places,
            inner=bool(found["inner"]),
            brackets=bool(semicolon),
            clock=(len(fields[0]), len(fields) - 1) if found["clock"] else None,
        )

    @property
    def pattern(self) -> str:
        """The reverse of :meth:`of`."""
        whole = f"#{self.apart}##0" if self.apart else "0"
        if self.days:
            digits = ("0" if self.fixed else "#") * self.places
            return f"{_CLOCK_ALONE}.{digits}" if digits else _CLOCK_ALONE
        if self.clock:
            whole = ":".join(["0" * self.clock[0]] + ["00"] * self.clock[1])
        digits = self.mark + ("0" if self.fixed else "#") * self.places if self.places else ""
        plain = f"{self.before}{'-' * self.inner}{whole}{digits}{self.after}"
        return f"{plain};({plain})" if self.brackets else plain

    @property
    def is_usual(self) -> bool:
        """Whether what stands before and after numbers is money or a unit of a public list, so
        that no word in it is a table's own."""
        before = re.fullmatch(rf"(?:{_USUAL_MONEY}{_SPACE})?", self.before)
        return before is not None and (not self.after or bool(_USUAL_UNIT.fullmatch(self.after)))

    def read(self, text: pa.Array) -> Floats:
        """Numbers of ``text`` (large_string), NaN where it is missing or not written like this.

        Each cell is read by itself. Clock times count units of their last field.
        """
        encoded = text.dictionary_encode()
        values = [self.read_one(cell) for cell in encoded.dictionary.to_pylist()]
        lookup = np.array([*values, np.nan], dtype=np.float64)
        places = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        numbers: Floats = lookup[places]
        return numbers

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        whole = "[0-9]{1,15}"
        if self.apart:
            whole = rf"{whole}|[0-9]{{1,3}}(?:{re.escape(self.apart)}[0-9]{{3}}){{1,4}}"
        if self.clock:
            whole = rf"[0-9]{{1,9}}(?::[0-5][0-9]){{{self.clock[1]}}}"
        digits = rf"(?:{re.escape(self.mark)}(?P<places>[0-9]{{1,12}}))?" if self.places else ""
        before, after = re.escape(self.before), re.escape(self.after)
        number = rf"(?P<outer>-)?{before}(?P<inner>-)?(?P<whole>{whole}){digits}{after}"
        open_, close = (r"(?P<open>\()?", r"(?(open)\))") if self.brackets else ("", "")
        return re.compile(f"{open_}{number}{close}", re.ASCII)

    def read_one(self, text: str) -> float:
        """The number that ``text`` is, NaN if it is not written like this."""
        if self.days:
            return _read_days(text, self.places)
        found = self._regex.fullmatch(text)
        if found is None or (found["outer"] and found["inner"]):
            return np.nan
        whole = found["whole"].replace(self.apart, "") if self.apart else found["whole"]
        if self.clock:
            units = 0
            for field in whole.split(":"):
                units = units * 60 + int(field)
            whole = str(units)
        value = float(f"{whole}.{(found['places'] if self.places else None) or 0}")
        is_below = found["outer"] or found["inner"] or (self.brackets and found["open"])
        return -value if is_below else value

    def write(self, numbers: Floats) -> Objects:
        """Finite ``numbers`` as text."""
        distinct, places = np.unique(numbers, return_inverse=True)
        spelled = np.array([self._spell(number) for number in distinct.tolist()], dtype=object)
        texts: Objects = spelled[places]
        return texts

    def _spell(self, number: float) -> str:
        if self.days:
            return _spell_days(number, self.places, fixed=self.fixed)
        whole, _, digits = f"{abs(number):.{self.places}f}".partition(".")
        is_below = number < 0 and bool((whole + digits).strip("0"))
        if self.clock:
            whole = _spell_clock(int(whole), *self.clock)
        elif self.apart:
            whole = f"{int(whole):,}".replace(",", self.apart)
        digits = digits if self.fixed else digits.rstrip("0")
        text = f"{whole}{self.mark}{digits}" if digits else whole
        if not is_below or self.brackets:
            text = f"{self.before}{text}{self.after}"
            return f"({text})" if is_below else text
        if self.inner:
            return f"{self.before}-{text}{self.after}"
        return f"-{self.before}{text}{self.after}"


def _spell_clock(units: int, width: int, fields: int) -> str:
    parts: list[str] = []
    for _ in range(fields):
        units, rest = divmod(units, 60)
        parts.insert(0, f"{rest:02d}")
    return ":".join([f"{units:0{width}d}", *parts])


_CLOCK_ALONE = "0 days 00:00:00"
_DAYS = (_CLOCK_ALONE, *(f"{_CLOCK_ALONE}.{digit * n}" for n in (6, 9) for digit in "#0"))
_DURATION = re.compile(
    r"(?P<days>-?[0-9]{1,6}) days (?P<plus>\+?)(?P<clock>[0-2][0-9]:[0-5][0-9]:[0-5][0-9])"
    r"(?:\.(?P<places>[0-9]{9}|[0-9]{6}))?",
    re.ASCII,
)


def _read_days(text: str, places: int) -> float:
    """Seconds: those of the clock come on top of the days, also of days below zero."""
    found = _DURATION.fullmatch(text)
    if found is None or len(found["places"] or "") > places:
        return np.nan
    hours, minutes, seconds = map(int, found["clock"].split(":"))
    ticks = ((int(found["days"]) * 24 + hours) * 60 + minutes) * 60 + seconds
    digits = found["places"] or "0"
    return float((ticks * 10 ** len(digits) + int(digits)) / 10 ** len(digits))


def _spell_days(seconds: float, places: int, *, fixed: bool) -> str:
    whole, ticks = divmod(round(seconds * 10**places), 10**places)
    days, rest = divmod(whole, 24 * 60 * 60)
    digits = f"{ticks:0{places}d}" if ticks or (fixed and places) else ""
    digits = digits[:6] if digits.endswith("000") and places == 9 and not fixed else digits
    sign = "+" if days < 0 else ""
    return f"{days} days {sign}{_spell_clock(rest, 2, 2)}" + (f".{digits}" if digits else "")


# Which spelling cells have

_MONEY = (
    r"(?:[$€£¥₹₽₩₺₪₫฿₦₱₴₸₡]|[A-Z]{1,2}\$|R\$|USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|SEK|NOK|DKK|PLN"
    r"|CZK|HUF|BRL|MXN|ZAR|TRY|RUB|KRW|SGD|HKD|Rs\.?|kr\.?|zł|Kč|Ft)"
)
_SPACE = "[ \u00a0\u202f]?"
_MEASURE = r"%|‰|°[CF]?|(?:[mck]?m|[mk]?g|m?l|[kMGT]B|kWh?|[kMG]?Hz|min|ms|h|s)"
_UNIT = rf"(?:{_SPACE}(?:{_MONEY}|{_MEASURE})| [A-Za-z]{{1,12}}[²³]?)"
_USUAL_MONEY = _MONEY.replace(r"[A-Z]{1,2}\$", r"(?:US|CA|C|AU|A|NZ|HK|SG|S|MX|NT)\$")
_USUAL_UNIT = re.compile(
    rf"{_SPACE}(?:{_USUAL_MONEY}|(?:{_MEASURE})[²³]?)"
    r"| (?:[Dd]ays?|[Hh]ours?|hrs?|[Ww]eeks?|[Mm]onths?|[Yy]ears?|yrs?|min(?:ute)?s?|sec(?:ond)?s?"
    r"|km/h|mph|bpm|ppm|mi|miles?|ft|in|yd|lbs?|oz|ha|acres?|sqft|pcs|units?|points?|pts)"
)
_WRITTEN = re.compile(
    rf"(?P<open>\()?(?P<outer>-)?(?P<before>{_MONEY}{_SPACE})?(?P<inner>-)?"
    rf"(?P<number>[0-9][0-9:{_APART}]*?(?<=[0-9]))(?P<after>{_UNIT})?(?P<close>\))?"
)
_CLOCK = re.compile(r"(?P<first>[0-9]+)(?P<rest>(?::[0-5][0-9]){1,2})(?:\.(?P<places>[0-9]{1,9}))?")
_FEW = 20  # distinct clock times that may as well be names: 16:9


def find_spelling(distinct: pa.Array) -> Spelling | None:
    """The spelling of which every one of ``distinct`` texts (large_string, no nulls) is, to the
    letter; None if there is none."""
    if len(distinct) and _DURATION.fullmatch(distinct[0].as_py()):
        return _find_days(distinct)
    if len(distinct) == 0 or _WRITTEN.fullmatch(distinct[0].as_py()) is None:
        return None
    numbers: list[str] = []
    affixes: set[tuple[str, str]] = set()
    inner = brackets = False
    for text in distinct.to_pylist():
        found = _WRITTEN.fullmatch(text)
        if found is None or (found["open"] is None) != (found["close"] is None):
            return None
        numbers.append(found["number"])
        affixes.add((found["before"] or "", found["after"] or ""))
        inner = inner or found["inner"] is not None
        brackets = brackets or found["open"] is not None
        if len(affixes) > 1:
            return None
    ((before, after),) = affixes
    plain = Spelling(before=before, after=after, inner=inner and bool(before), brackets=brackets)
    for spelling in _digits_of(numbers, plain):
        if Spelling.of(spelling.pattern) == spelling and _gives_back(spelling, distinct):
            return spelling
    return None


def _find_days(distinct: pa.Array) -> Spelling | None:
    found = [_DURATION.fullmatch(text) for text in distinct.to_pylist()]
    lengths = {len(each["places"] or "") if each else 0 for each in found}
    fixed = len(lengths) == 1
    spelling = Spelling(days=True, places=max(lengths), fixed=fixed, clock=(2, 2))
    return spelling if _gives_back(spelling, distinct) else None


def _gives_back(spelling: Spelling, distinct: pa.Array) -> bool:
    numbers = spelling.read(distinct)
    if np.isnan(numbers).any() or np.abs(numbers).max() * 10**spelling.places >= 10**_MOST_DIGITS:
        return False
    same = spelling.write(numbers) == distinct.to_numpy(zero_copy_only=False)
    return bool(np.all(same | (numbers == 0)))  # -0,00 comes back as 0,00


_MARKS = (
    (",", "."), (".", ","), ("", "."), ("", ","), (" ", ","), (" ", "."), ("'", "."),
    ("\u2019", "."), ("\u00a0", ","), ("\u202f", ","), ("\u00a0", "."), ("\u202f", "."),
)  # fmt: skip


def _digits_of(numbers: list[str], plain: Spelling) -> Iterator[Spelling]:
    """``plain``, with what digits of ``numbers`` may look like, likeliest first."""
    if any(":" in number for number in numbers):
        yield from _clock_digits(numbers, plain)
        return
    for apart, mark in _MARKS:
        if apart and not any(apart in number for number in numbers):
            continue
        lengths = {len(number.partition(mark)[2]) for number in numbers}
        places = max(lengths)
        if places <= 12:
            yield replace(
                plain,
                apart=apart,
                mark=mark if places else ".",
                places=places,
                fixed=len(lengths) == 1,
            )


def _clock_digits(numbers: list[str], plain: Spelling) -> Iterator[Spelling]:
    found = [_CLOCK.fullmatch(number) for number in numbers]
    times = [each for each in found if each is not None]
    fields = {each["rest"].count(":") for each in times}
    lengths = {len(each["places"] or "") for each in times}
    if _FEW < len(numbers) == len(times) and len(fields) == len(lengths) == 1:
        width = min(min(len(each["first"]) for each in times), 2)
        yield replace(plain, clock=(width, max(fields)), places=max(lengths))
