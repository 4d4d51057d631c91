"""Rows to tokens and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_tables import people
from scipy import stats

from synthgan.config import SummaryConfig
from synthgan.encode.encoder import Encoder
from synthgan.encode.number_codec import FINE
from synthgan.encode.summarize import summarize
from synthgan.encode.summary import Summary
from synthgan.errors import SchemaError
from synthgan.schema.infer import infer_columns


def encoder_of(frame: pd.DataFrame, **settings: int) -> Encoder:
    schema = infer_columns(frame)
    return Encoder(schema, summarize(frame, schema, SummaryConfig(**settings)))


def there_and_back(frame: pd.DataFrame, **settings: int) -> pd.DataFrame:
    encoder = encoder_of(frame, **settings)
    rng = np.random.default_rng(0)
    cells = encoder.decode(encoder.encode(frame, rng), rng)
    return encoder.assemble(cells, start=0, rows=len(frame))


def test_the_table_comes_back_in_its_shape() -> None:
    frame = people()
    back = there_and_back(frame)
    assert list(back.columns) == list(frame.columns)
    assert (back.dtypes == frame.dtypes).all()
    assert (back.isna() == frame.isna()).to_numpy()[2:].all()


def test_categories_come_back_as_they_were_but_rare_ones() -> None:
    frame = people()
    back = there_and_back(frame)
    known = frame["job"] != "astronaut"
    pd.testing.assert_series_equal(back["job"][known], frame["job"][known])
    assert "astronaut" not in set(back["job"].dropna())


def test_numbers_come_back_close_and_in_distribution() -> None:
    frame = people(5000)
    back = there_and_back(frame)
    for name in ("age", "wealth", "score"):
        ks = stats.ks_2samp(frame[name].dropna(), back[name].dropna(), method="asymp").statistic
        assert ks < 0.03, name
    assert np.corrcoef(frame["score"].fillna(0), back["score"].fillna(0))[0, 1] > 0.99
    assert ((frame["wealth"] == 0) == (back["wealth"] == 0)).all()
    assert abs(frame["since"] - back["since"]).mean() < pd.Timedelta(days=20)


@given(
    st.lists(st.integers(-50, 50) | st.none(), min_size=1, max_size=80),
    st.lists(st.sampled_from("abc") | st.none(), min_size=80, max_size=80),
)
def test_unprotected_small_tables_come_back_exactly(
    whole: list[int | None], letters: list[str | None]
) -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array(whole, dtype="Int64"),
            "c": pd.Series(letters[: len(whole)], dtype=object),
        }
    )
    back = there_and_back(frame, min_category_rows=1, extreme_rows=1)
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)


def test_the_layout_describes_every_entry() -> None:
    frame = people(3000)
    encoder = encoder_of(frame)
    layout = encoder.layout
    tokens = encoder.encode(frame, np.random.default_rng(0))
    assert tokens.shape == (3000, len(layout.spans))
    assert tokens.dtype == np.uint8
    start = 0
    for position, span in enumerate(layout.spans):
        assert span.start == start
        assert tokens[:, position].max() < span.width
        entries = slice(span.start, span.start + span.width)
        if span.role == "code":
            shares = np.bincount(tokens[:, position], minlength=span.width) / len(tokens)
            assert shares == pytest.approx(layout.prior[entries], abs=0.01)
        else:
            assert span.width == FINE
            assert layout.spans[position - 1].column == span.column
        start += span.width
    assert start == layout.entries == len(layout.prior) == len(layout.rank)
    assert layout.columns == tuple(frame.columns)


def test_ranks_rise_with_the_value() -> None:
    frame = people(3000)
    layout = encoder_of(frame).layout
    for span in layout.spans:
        if span.role == "code" and layout.is_number[span.start]:
            present = slice(span.start, span.start + span.width - int(span.column == "score"))
            assert (np.diff(layout.rank[present]) > 0).all()


def test_fine_steps_do_not_divide_values() -> None:
    rng = np.random.default_rng(0)
    size = rng.gamma(9.0, 30.0, 40_000).round(0)  # each bin holds a few values
    frame = pd.DataFrame({"size": size})
    encoder = encoder_of(frame)
    assert [span.role for span in encoder.layout.spans] == ["code", "fine"]
    tokens = encoder.encode(frame, rng)
    cells = encoder.decode(tokens, rng)["size"]
    common = frame["size"].map(frame["size"].value_counts()) > 20
    assert (cells.astype(float).round()[common] == size[common]).mean() > 0.97


def test_constants_have_no_position_and_come_back() -> None:
    frame = pd.DataFrame({"one": [1] * 20, "word": ["x"] * 20, "none": [None] * 20, "v": range(20)})
    frame["v"] = frame["v"] % 4
    encoder = encoder_of(frame)
    assert encoder.layout.columns == ("v",)
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


def test_many_levels_need_wider_tokens() -> None:
    frame = pd.DataFrame({"zip": np.repeat([f"{i:05d}" for i in range(400)], 6)})
    assert encoder_of(frame).encode(frame, np.random.default_rng(0)).dtype == np.int16
    assert there_and_back(frame).equals(frame)


def test_a_summary_of_another_table_is_refused() -> None:
    frame = people()
    with pytest.raises(SchemaError, match="'age'"):
        Encoder(infer_columns(frame), Summary(columns={}, rows=1))


def test_cells_unseen_at_the_fit_are_encoded_all_the_same() -> None:
    frame = people()
    encoder = encoder_of(frame)
    other = people(50, seed=5)
    other["age"] = 200
    other["job"] = "sailor"
    tokens = encoder.encode(other, np.random.default_rng(0))
    cells = encoder.decode(tokens, np.random.default_rng(0))
    assert set(cells["age"]) == {float(np.sort(frame["age"])[-5])}
