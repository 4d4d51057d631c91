"""Check digits of numbers that name people and devices.

Random digits pass each of these tests in a tenth of all cases or less, so a column whose values
all pass one of them holds such numbers. All take plain text, without blanks and separators.
"""

from __future__ import annotations

from collections.abc import Callable

_LETTERS_OF_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD_PLACES = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)  # of the Italian decree of 23 December 1976
_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)  # Verhoeff 1969
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def passes_luhn(digits: str) -> bool:
    """Whether the last of ``digits`` is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def passes_iban(text: str) -> bool:
    """Whether the two check digits of an IBAN without blanks are right (ISO 13616)."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def passes_imei(text: str) -> bool:
    """IMEI of a phone: 15 digits, the last by Luhn (3GPP TS 23.003)."""
    return _are_digits(text, 15) and passes_luhn(text) and text[:2] not in ("34", "36", "37", "00")


def passes_vin(text: str) -> bool:
    """Number of a vehicle with the check digit of North America (49 CFR 565.15)."""
    if len(text) != 17 or any(c not in _VIN_VALUES and not _is_digit(c) for c in text):
        return False
    values = [int(c) if _is_digit(c) else _VIN_VALUES[c] for c in text]
    rest = sum(w * v for w, v in zip(_VIN_WEIGHTS, values, strict=True)) % 11
    return text[8] == ("X" if rest == 10 else str(rest))


def passes_kvnr(text: str) -> bool:
    """Number of an insured person in Germany: a letter and nine digits (§ 290 SGB V)."""
    if len(text) != 10 or not "A" <= text[0] <= "Z" or not _are_digits(text[1:], 9):
        return False
    digits = f"{ord(text[0]) - 64:02d}{text[1:9]}"
    products = (int(digit) * (1 + place % 2) for place, digit in enumerate(digits))
    return sum(p - 9 * (p > 9) for p in products) % 10 == int(text[9])


def passes_nhs(text: str) -> bool:
    """Number of a patient in England and Wales: ten digits, the last modulo 11."""
    if not _are_digits(text, 10):
        return False
    rest = 11 - sum(int(d) * w for d, w in zip(text[:9], range(10, 1, -1), strict=True)) % 11
    return rest % 11 == int(text[9]) and rest != 10


def passes_pesel(text: str) -> bool:
    """Number of a person in Poland: eleven digits, with the date of birth first."""
    if not _are_digits(text, 11) or not 1 <= int(text[2:4]) % 20 <= 12:
        return False
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    in_month = 1 <= int(text[4:6]) <= 31
    return in_month and sum(int(d) * w for d, w in zip(text, weights, strict=True)) % 10 == 0


def passes_bsn(text: str) -> bool:
    """Number of a citizen of the Netherlands: nine digits, by the test of eleven."""
    if not _are_digits(text, 9) or text == "0" * 9:
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(int(d) * w for d, w in zip(text, weights, strict=True)) % 11 == 0


def passes_cpf(text: str) -> bool:
    """Number of a taxpayer in Brazil: eleven digits, the last two modulo 11."""
    if not _are_digits(text, 11) or len(set(text)) == 1:
        return False
    for length in (9, 10):
        weights = range(length + 1, 1, -1)
        total = sum(int(d) * w for d, w in zip(text[:length], weights, strict=True))
        if total * 10 % 11 % 10 != int(text[length]):
            return False
    return True


def passes_tax_id(text: str) -> bool:
    """Number of a taxpayer in Germany: eleven digits, the last by ISO 7064 modulo 11, 10."""
    if not _are_digits(text, 11) or text[0] == "0" or len(set(text[:10])) == 10:
        return False
    product = 10
    for digit in text[:10]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(text[10])


def passes_personnummer(text: str) -> bool:
    """Number of a person in Sweden: the date of birth and four digits, the last by Luhn."""
    if not (_are_digits(text, 10) or _are_digits(text, 12)):
        return False
    text = text[-10:]
    in_year = 1 <= int(text[2:4]) <= 12 and 1 <= int(text[4:6]) % 60 <= 31
    return in_year and passes_luhn(text)


def passes_nir(text: str) -> bool:
    """Number of a person in France: thirteen characters and a key of two digits."""
    plain = text[:5] + text[5:7].replace("2A", "19").replace("2B", "18") + text[7:]
    if not _are_digits(plain, 15) or plain[0] not in "123478":
        return False
    return 97 - int(plain[:13]) % 97 == int(plain[13:])


def passes_codice_fiscale(text: str) -> bool:
    """Number of a taxpayer in Italy: sixteen characters, the last a letter for the others."""
    if len(text) != 16 or any(c not in _ODD_PLACES for c in text):
        return False
    odd = sum(_ODD_PLACES[c] for c in text[:15:2])
    even = sum(int(c) if _is_digit(c) else ord(c) - 65 for c in text[1:15:2])
    return text[15] == chr(65 + (odd + even) % 26)


def passes_dni(text: str) -> bool:
    """Number of a person in Spain (DNI, NIE): eight digits, the first of them a letter for
    foreigners, and a letter modulo 23."""
    digits = text[:1].translate(str.maketrans("XYZ", "012")) + text[1:8]
    if len(text) != 9 or not _are_digits(digits, 8):
        return False
    return _LETTERS_OF_DNI[int(digits) % 23] == text[8]


def passes_aadhaar(text: str) -> bool:
    """Number of a resident of India: twelve digits, the last by Verhoeff (1969)."""
    if not _are_digits(text, 12) or text[0] in "01":
        return False
    check = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTED[value]
        check = _in_dihedral(check, value)
    return check == 0


def _in_dihedral(one: int, other: int) -> int:
    """The product of two symmetries of the pentagon; from 5 on they are reflections."""
    turned = (one - other if one >= 5 else one + other) % 5
    return turned + 5 * ((one >= 5) != (other >= 5))


def passes_ahv(text: str) -> bool:
    """Number of a person in Switzerland: thirteen digits from 756 on, the last as in EAN."""
    if not _are_digits(text, 13) or not text.startswith("756"):
        return False
    return sum(int(d) * (1 + 2 * (place % 2)) for place, d in enumerate(text)) % 10 == 0


_OF_PEOPLE: dict[int, tuple[Callable[[str], bool], ...]] = {
    9: (passes_bsn, passes_dni),
    10: (passes_kvnr, passes_nhs, passes_personnummer),
    11: (passes_pesel, passes_cpf, passes_tax_id),
    12: (passes_aadhaar, passes_personnummer),
    13: (passes_ahv,),
    15: (passes_nir,),
    16: (passes_codice_fiscale,),
}
"""By the number of characters."""


def passes_as_person(text: str) -> bool:
    """Whether ``text`` passes the check of a number of persons of some country."""
    return any(passes(text) for passes in _OF_PEOPLE.get(len(text), ()))


def schemes_passed(text: str) -> tuple[str, ...]:
    """Names of the checks of numbers of persons that ``text`` passes."""
    return tuple(p.__name__ for p in _OF_PEOPLE.get(len(text), ()) if p(text))


def _are_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"
