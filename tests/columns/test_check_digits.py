"""Check digits of persons and devices: published examples pass, their neighbours do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.columns.personal import check_digits as checks

EXAMPLES: list[tuple[Callable[[str], bool], str]] = [
    (checks.passes_kvnr, "A123456780"),
    (checks.passes_nhs, "9434765919"),
    (checks.passes_pesel, "44051401359"),
    (checks.passes_bsn, "111222333"),
    (checks.passes_cpf, "52998224725"),
    (checks.passes_tax_id, "86095742719"),
    (checks.passes_personnummer, "8112189876"),
    (checks.passes_personnummer, "198112189876"),
    (checks.passes_nir, "255081416802538"),
    (checks.passes_codice_fiscale, "RSSMRA85T10A562S"),
    (checks.passes_dni, "12345678Z"),
    (checks.passes_dni, "X1234567L"),
    (checks.passes_aadhaar, "234123412346"),
    (checks.passes_ahv, "7569217076985"),
    (checks.passes_vin, "1M8GDM9AXKP042788"),
    (checks.passes_imei, "490154203237518"),
    (checks.passes_iban, "GB82WEST12345698765432"),
    (checks.passes_luhn, "4111111111111111"),
]


@pytest.mark.parametrize(("passes", "example"), EXAMPLES)
def test_one_wrong_character_is_seen(passes: Callable[[str], bool], example: str) -> None:
    assert passes(example)
    last = example[-1]
    others = "0123456789" if last.isdigit() else "ABCDEFGHJKLMNPQRSTUVWXYZ"
    assert not any(passes(example[:-1] + other) for other in others if other != last)


@pytest.mark.parametrize(("passes", "example"), EXAMPLES[:-2])
@given(text=st.text(max_size=20))
def test_any_text_is_judged(passes: Callable[[str], bool], example: str, text: str) -> None:
    assert passes(text) in (True, False)
    assert passes(example[:-1]) is False


def test_few_random_numbers_pass() -> None:
    rng = np.random.default_rng(0)
    for length in (9, 10, 11, 12, 13, 15):
        texts = ["".join(map(str, rng.integers(0, 10, length))) for _ in range(1000)]
        assert sum(map(checks.passes_as_person, texts)) < 320
