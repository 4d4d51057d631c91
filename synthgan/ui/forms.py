"""What forms say, as the package takes it. Wrong input is a SynthganError in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import synthgan
from synthgan.errors import ConfigError, SchemaError

_MADE_ANEW = (synthgan.Kind.IDENTIFIER, synthgan.Kind.TEXT)
_NUMERIC = (synthgan.Kind.NUMBER, synthgan.Kind.INTEGER)


def number(text: str, name: str, kind: type[int] | type[float]) -> Any:
    """The number in a field; None if that is empty."""
    try:
        return kind(text.strip().replace(",", "").replace("_", "")) if text.strip() else None
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{name} must be {wanted}, or left empty") from None


# --- columns ----------------------------------------------------------------------------


def personal_choices() -> list[str]:
    """What can be generated in the place of personal data."""
    hint = get_type_hints(synthgan.Column)["personal"]
    return [name for part in get_args(hint) for name in get_args(part)]


def kind_choices(inferred: synthgan.Column) -> list[synthgan.Kind]:
    """The kinds that a column could have, as its cells are."""
    kinds = [inferred.kind, synthgan.Kind.CATEGORY, *_MADE_ANEW]
    if inferred.kind in _NUMERIC:
        kinds += _NUMERIC
    return [kind for kind in synthgan.Kind if kind in kinds and _fits(inferred, kind)]


def _fits(inferred: synthgan.Column, kind: synthgan.Kind) -> bool:
    try:
        _as_kind(inferred, kind, None)
    except SchemaError:
        return False
    return True


def _as_kind(
    inferred: synthgan.Column, kind: synthgan.Kind, personal: str | None
) -> synthgan.Column:
    """The column as one of another kind; what was told of its old one is left behind."""
    if kind is inferred.kind and personal == inferred.personal:
        return inferred
    if kind is inferred.kind:
        return dataclasses.replace(inferred, personal=personal, format=None)  # type: ignore[arg-type]
    keep: dict[str, object] = {"personal": personal} if kind in _MADE_ANEW else {}
    if kind is synthgan.Kind.IDENTIFIER:
        keep["repeats"] = True  # or not, which does no harm
    if kind in _NUMERIC and inferred.kind in _NUMERIC:
        keep = {"format": inferred.format, "words": inferred.words}
    return synthgan.Column(
        name=inferred.name,
        kind=kind,
        dtype=inferred.dtype,
        nullable=inferred.nullable,
        **keep,  # type: ignore[arg-type]
    )


def corrected(
    schema: synthgan.Schema, inferred: synthgan.Schema, form: Mapping[str, str]
) -> synthgan.Schema:
    """The schema with the kinds that a form has, and the rules that it keeps.

    Fields are ``kind-0``, ``personal-0``, ``rule-0``, by place; unticked rules are left out. Rules
    on columns that are something else now go, too.
    """
    columns, changed = [], set()
    for place, (now, told) in enumerate(zip(schema, inferred, strict=True)):
        wanted = form.get(f"kind-{place}", now.kind.value)
        kind = next((each for each in kind_choices(told) if each.value == wanted), None)
        personal = form.get(f"personal-{place}") or None
        if kind is None or personal not in (None, *personal_choices()):
            raise SchemaError(f"column {now.name!r} cannot be what was chosen; choose another kind")
        if kind is now.kind and (personal == now.personal or kind not in _MADE_ANEW):
            columns.append(now)  # what was declared by hand stays
        else:
            columns.append(_as_kind(told, kind, personal))
            changed.add(now.name)
    kept = tuple(
        rule
        for place, rule in enumerate(inferred.constraints)
        if f"rule-{place}" in form and not changed.intersection(rule.columns)
    )
    own = tuple(rule for rule in schema.constraints if rule not in inferred.constraints)
    return schema.of_columns(columns, kept + own)


def declared(schema: synthgan.Schema, inferred: synthgan.Schema) -> synthgan.Schema:
    """What is public of ``schema`` for a private fit: names, kinds, dtypes and formats as they were
    ``inferred`` from the rows, and all that its owner has set otherwise by hand, but for rules.

    Raises :class:`SchemaError` if the two have other columns.
    """
    if schema.names != inferred.names:
        raise SchemaError("schema.json has other columns than the table")
    public = synthgan.public_part(schema)
    columns = []
    for form, now, told in zip(public, schema, inferred, strict=True):
        by_hand = {
            each.name: getattr(now, each.name)
            for each in dataclasses.fields(synthgan.Column)
            if getattr(now, each.name) != getattr(told, each.name)
        }
        columns.append(dataclasses.replace(form, **by_hand))
    return synthgan.Schema(columns=tuple(columns), locale=schema.locale)


# --- fitting and drawing ----------------------------------------------------------------


def config(form: Mapping[str, str]) -> synthgan.Config:
    """The settings of a fit."""
    minutes = number(form.get("minutes", ""), "minutes", float)
    steps = number(form.get("steps", ""), "steps", int)
    epsilon = number(form.get("epsilon", ""), "epsilon", float)
    seed = number(form.get("seed", ""), "seed", int)
    privacy = None
    if epsilon is not None:
        if "declare" not in form:
            raise ConfigError(
                "with an epsilon, what the columns are must be public: tick the box that says so, "
                "or leave epsilon empty"
            )
        privacy = synthgan.PrivacyConfig(epsilon=epsilon)
    train = synthgan.TrainConfig(
        **{k: v for k, v in (("max_minutes", minutes), ("steps", steps)) if v is not None}
    )
    return synthgan.Config(train=train, privacy=privacy, **({} if seed is None else {"seed": seed}))


def asked(form: Mapping[str, str]) -> dict[str, Any]:
    """What rows are to be drawn, as :meth:`Synthesizer.iter_samples` takes it."""
    return {
        "n": number(form.get("n", ""), "rows", int),
        "where": form.get("where", "").strip() or None,
        "balance": form.get("balance") or None,
        "seed": number(form.get("seed", ""), "seed", int),
    }
