"""The list of measures: each is explained, named in the documentation, and stands once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synthgan.metrics.catalog import CATALOG, EXPLANATIONS, HEADLINES, MEASURES, term_of

REPORTS = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")


def test_each_measure_stands_once() -> None:
    assert len(MEASURES) == len(CATALOG)
    assert len({term.key for term in EXPLANATIONS}) == len(EXPLANATIONS)


def test_places_of_headlines_are_counted_through() -> None:
    for section, keys in HEADLINES.items():
        places = [each.headline for each in CATALOG if each.section == section and each.headline]
        assert sorted(places) == list(range(1, len(keys) + 1))


def test_what_decides_a_verdict_is_about_privacy() -> None:
    assert {entry.section for entry in CATALOG if entry.is_alarm} == {"privacy"}


@pytest.mark.parametrize("key", sorted(MEASURES))
def test_each_measure_is_explained_and_documented(key: str) -> None:
    assert term_of(key)
    families = re.findall(r"`(\w+_)\.\.\.`", REPORTS)
    assert f"`{key}`" in REPORTS or any(key.startswith(family) for family in families)


def test_a_part_is_explained_by_the_whole() -> None:
    assert term_of("accuracy_2_most") == term_of("accuracy_2")
    assert term_of("no_such_measure") == ""
