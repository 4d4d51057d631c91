"""The page's charts, made and checked by plotly.

A trace says what it shows (``meta.role``: real, holdout, synthetic, floor, baseline, chance or
other) and not how it looks: the page's script gives each role its colour in the theme of the
moment.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from synthgan._typing import Floats
from synthgan.metrics.measure import Curve, Estimate, Measure
from synthgan.report.bins import Side, spell_seconds
from synthgan.report.pictures import Distribution, PairTable

Role = Literal["real", "holdout", "synthetic", "floor", "baseline", "chance", "other"]

NAMES: Mapping[Side, str] = {"real": "Real", "holdout": "Held out", "synthetic": "Synthetic"}

_DASHES = {"holdout": "dot", "floor": "dash", "baseline": "dot", "chance": "longdash"}
_TICK = 18  # letters of a level beside an axis
_NAMED_COLUMNS = 40  # more names than this cannot be read along a heat-map
_TEMPLATE = go.layout.Template()  # none: colours are the script's
_HOVER = "Share of cells"
_MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


def figure_json(figure: go.Figure) -> str:
    """``figure`` as JSON that can stand inside of an HTML ``<script>``."""
    text = str(figure.to_json())
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def plain(text: str, letters: int | None = None) -> str:
    """``text`` for a chart, where plotly would obey HTML; cut to so many letters."""
    line = "".join(each if each.isprintable() else " " for each in text)
    if letters is not None and len(line) > letters:
        line = line[: letters - 1] + "…"
    return html.escape(line, quote=False)


def figure(traces: Sequence[object], **layout: object) -> go.Figure:
    common = {"template": _TEMPLATE, "margin": _MARGIN, "showlegend": False, "dragmode": False}
    return go.Figure(data=list(traces), layout={**common, **layout})


# --- one column -------------------------------------------------------------------------


def distribution(found: Distribution) -> go.Figure:
    """A column in all tables: outlines of the bins, or a bar and marks for each level."""
    return _outlines(found) if found.edges else _levels(found)


def _outlines(found: Distribution) -> go.Figure:
    dates = found.scale == "date"
    x = [spell_seconds(edge) for edge in found.edges] if dates else list(found.edges)
    labels = [plain(label) for label in (*found.labels, found.labels[-1])]
    traces = [
        go.Scatter(
            x=x,
            y=[*shares, shares[-1]],
            mode="lines",
            name=NAMES[side],
            line={"shape": "hv", "dash": _DASHES.get(side, "solid"), "width": _WIDTHS[side]},
            fill="tozeroy" if side == "real" else None,
            text=labels if side == "real" else None,
            hovertemplate="%{y:.1%}" + (" <i>(%{text})</i>" if side == "real" else ""),
            meta={"role": side},
        )
        for side, shares in found.shares.items()
    ]
    axis = {
        "type": "date" if dates else "linear",
        "automargin": True,
        "nticks": 6,
    }
    meta = {"hover": _HOVER}
    return figure(traces, hovermode="x unified", xaxis=axis, yaxis=_share_axis(), meta=meta)


_WIDTHS: Mapping[Side, float] = {"real": 1, "holdout": 1.5, "synthetic": 2}


def _levels(found: Distribution) -> go.Figure:
    widest = max(map(len, found.labels), default=0)
    upright = found.scale == "values" and widest <= 7
    places = list(range(len(found.labels)))
    labels = [plain(label) for label in found.labels]
    traces = [
        _marks(side, places, shares, labels, upright=upright)
        for side, shares in found.shares.items()
    ]
    levels = {
        "type": "linear",
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [plain(label, _TICK) for label in found.labels],
        "tickangle": 0 if upright and widest <= 2 else None,
        "range": [-0.6, len(places) - 0.4] if upright else [len(places) - 0.4, -0.6],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
    meta = {"levels": len(places), "upright": upright, "hover": _HOVER}
    if upright:
        return figure(traces, xaxis=levels, yaxis=_share_axis(), meta=meta, hovermode="x unified")
    return figure(traces, yaxis=levels, xaxis=_share_axis(), meta=meta, hovermode="y unified")


def _marks(
    side: Side, places: list[int], shares: Sequence[float], labels: list[str], *, upright: bool
) -> object:
    ends = {"x": places, "y": list(shares)} if upright else {"x": list(shares), "y": places}
    value = "%{y:.1%}" if upright else "%{x:.1%}"
    about = {"name": NAMES[side], "meta": {"role": side}}
    if side == "real":
        return go.Bar(
            **ends,
            **about,
            orientation="v" if upright else "h",
            width=0.7,
            text=labels,
            textposition="none",
            hovertemplate=value + " <i>(%{text})</i>",
        )
    symbols = {"synthetic": "circle", "holdout": "line-ew-open" if upright else "line-ns-open"}
    marker = {"symbol": symbols[side], "size": 7 if side == "synthetic" else 11}
    return go.Scatter(**ends, **about, mode="markers", marker=marker, hovertemplate=value)


def _share_axis() -> dict[str, object]:
    ends = {"minallowed": 0, "maxallowed": 1}  # autorange leaves room beyond what a share can be
    return {"tickformat": "~%", "rangemode": "tozero", "automargin": True, "nticks": 5, **ends}


# --- pairs ------------------------------------------------------------------------------


def heatmap(matrix: Floats, names: Sequence[str], *, most: float) -> go.Figure:
    """Strengths between columns, from ``-most`` to ``most``."""
    trace = go.Heatmap(
        z=matrix.round(3).astype(np.float32),
        zmin=-most,
        zmax=most,
        hovertemplate="%{y}<br>%{x}<br><b>%{z:.2f}</b><extra></extra>",
        hoverongaps=False,
        colorbar={"thickness": 8, "outlinewidth": 0, "nticks": 5, "tickformat": "~r"},
        meta={"role": "signed"},
    )
    axis = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [plain(name, 16) for name in names],
        "showticklabels": len(names) <= _NAMED_COLUMNS,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
    }
    return figure(
        [trace],
        xaxis={**axis, "tickangle": -90},
        yaxis={**axis, "autorange": "reversed"},
        dragmode="zoom",
        meta={"names": len(names), "readable": _NAMED_COLUMNS},
    )


def pair_tables(found: PairTable) -> tuple[go.Figure, go.Figure]:
    """Two columns counted together, real and synthetic, in one scale of colours.

    Colours go by the square root of a share: rare cells remain visible beside frequent ones.
    """
    most = float(max(found.real.max(initial=0), found.synthetic.max(initial=0), 1e-4))
    real, synthetic = (_pair_table(found, x, most) for x in (found.real, found.synthetic))
    real.update_traces(showscale=False)
    synthetic.update_yaxes(title=None)
    return real, synthetic


def _pair_table(found: PairTable, shares: Floats, most: float) -> go.Figure:
    ticks = _share_ticks(most)
    trace = go.Heatmap(
        z=np.sqrt(shares).round(4).tolist(),
        customdata=shares.tolist(),
        text=[[f"{plain(a)}<br>{plain(b)}" for b in found.labels[1]] for a in found.labels[0]],
        zmin=0.0,
        zmax=math.sqrt(most),
        xgap=1,
        ygap=1,
        hovertemplate="%{text}<br><b>%{customdata:.2%}</b><extra></extra>",
        colorbar={
            "thickness": 8,
            "outlinewidth": 0,
            "tickvals": [math.sqrt(share) for share in ticks],
            "ticktext": [f"{100 * share:.3g} %" for share in ticks],
        },
        meta={"role": "share"},
    )
    first, second = (_pair_axis(found, side) for side in (0, 1))
    angle = -90 if sum(map(len, found.labels[1])) > 24 else 0
    return figure([trace], xaxis={**second, "tickangle": angle}, yaxis=first)


def _pair_axis(found: PairTable, side: Literal[0, 1]) -> dict[str, object]:
    """Numbers and dates rise; the most frequent level comes first."""
    labels = found.labels[side]
    falls = side == 0 and not found.ordered[0]
    step = 2 if found.ordered[side] and len(labels) > 8 else 1
    return {
        "tickmode": "array",
        "tickvals": list(range(0, len(labels), step)),
        "ticktext": [
            plain(label, _TICK if found.ordered[side] else 14) for label in labels[::step]
        ],
        "title": {"text": plain(found.columns[side], 32), "standoff": 6},
        "autorange": "reversed" if falls else True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
    }


def _share_ticks(most: float) -> list[float]:
    """Round shares that are far enough apart in a scale of square roots."""
    ticks = [0.0]
    for share in (1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0):
        if share <= most and math.sqrt(share) - math.sqrt(ticks[-1]) > 0.12 * math.sqrt(most):
            ticks.append(share)
    return ticks


# --- curves and bars --------------------------------------------------------------------


def curves(found: Sequence[Curve], *, x: str, y: str) -> go.Figure:
    """ROC and calibration curves in the unit square, with the diagonal."""
    diagonal = go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="Diagonal",
        showlegend=False,
        line={"dash": "longdash", "width": 1},
        hoverinfo="skip",
        meta={"role": "chance"},
    )
    lines = [
        go.Scatter(
            x=[round(value, 4) for value in curve.x],
            y=[round(value, 4) for value in curve.y],
            mode="lines",
            name=plain(curve.name, 60),
            line={"dash": _DASHES.get(_role(curve.key), "solid"), "width": 2},
            meta={"role": _role(curve.key)},
        )
        for curve in found
    ]
    axis = {"range": [-0.01, 1.01], "nticks": 6, "automargin": True, "zeroline": False}
    return figure(
        [diagonal, *lines],
        showlegend=True,
        legend=BELOW,
        hovermode="closest",
        xaxis={**axis, "title": {"text": x, "standoff": 8}},
        yaxis={**axis, "title": {"text": y, "standoff": 8}},
    )


BELOW = {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}


def _role(key: str) -> Role:
    if key.endswith(("_floor", "_real", "_trtr")):
        return "floor"
    return "baseline" if key.endswith(("_baseline", "_independent")) else "synthetic"


def bars(measures: Sequence[Measure]) -> go.Figure:
    """A group of bars for each measure: synthetic, floor and baseline, with intervals."""
    places = list(range(len(measures)))
    sides: dict[Role, tuple[str, list[Estimate | None]]] = {
        "synthetic": ("Synthetic", [each.estimate for each in measures]),
        "floor": ("Real rows (floor)", [each.floor for each in measures]),
        "baseline": ("Independent columns (baseline)", [each.baseline for each in measures]),
    }
    traces = [
        _bar(role, name, places, found)
        for role, (name, found) in sides.items()
        if any(each is not None and math.isfinite(each.value) for each in found)
    ]
    unit = measures[0].unit if measures else ""
    names = {
        "type": "linear",
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [_lines(each.name) for each in measures],
        "range": [len(places) - 0.5, -0.5],
        "showgrid": False,
        "automargin": True,
    }
    return figure(
        traces,
        barmode="group",
        bargap=0.3,
        showlegend=True,
        legend={**BELOW, "traceorder": "normal"},
        xaxis={"title": {"text": unit}, "automargin": True, "nticks": 6},
        yaxis=names,
        hovermode="closest",
    )


def _bar(role: Role, name: str, places: list[int], found: Sequence[Estimate | None]) -> go.Bar:
    known = [Estimate.undefined() if each is None else each for each in found]
    return go.Bar(
        y=places,
        x=[_finite(each.value) for each in known],
        orientation="h",
        name=name,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [_finite(each.high - each.value) or 0 for each in known],
            "arrayminus": [_finite(each.value - each.low) or 0 for each in known],
            "thickness": 1.5,
            "width": 4,
        },
        hovertemplate="%{x:.3f}<extra>%{fullData.name}</extra>",
        meta={"role": role},
    )


def _finite(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def _lines(text: str, letters: int = 18) -> str:
    """``text`` broken into lines, three at most."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= letters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    kept = [*lines[:2], " ".join(lines[2:])] if len(lines) > 3 else lines
    return "<br>".join(plain(line, letters + 4) for line in kept)
