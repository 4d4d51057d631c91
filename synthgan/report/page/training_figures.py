"""Charts of the training history."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from synthgan.report.origin import TrainingPoint
from synthgan.report.page.figures import BELOW, figure, plain

_ADVERSARIAL = {"critic", "generator"}

DIAGNOSTICS = {
    "critic_slope": "Critic's slope (1 would measure a distance)",
    "critic_gap": "Critic's gap between rows learned and set aside (0 is best)",
    "generator_gradient": "Generator's gradient",
    "distinct": "Share of distinct rows drawn",
    "recall": "Share of real rows that drawn ones come near",
    "detection": "Told from rows set aside, AUC (.5 is best)",
}
"""What each of a point's diagnostics is called."""


def history(points: Sequence[TrainingPoint], phase: str) -> go.Figure:
    """The losses in one phase of training; adversarial ones have an axis of their own.

    Likelihoods fall, and adversarial losses sway around a balance: one scale would hide either.
    """
    of_phase = [point for point in points if point.phase == phase]
    names = dict.fromkeys(name for point in of_phase for name in point.losses)
    apart = _ADVERSARIAL & set(names) if set(names) - _ADVERSARIAL else set()
    traces = []
    for place, name in enumerate(names):
        steps = [
            (point.step, loss)
            for point in of_phase
            if math.isfinite(loss := point.losses.get(name, math.nan))
        ]
        traces.append(
            go.Scatter(
                x=[step for step, _ in steps],
                y=[float(f"{loss:.5g}") for _, loss in steps],
                mode="lines+markers" if len(steps) < 30 else "lines",
                name=plain(name, 40),
                line={"width": 2, "dash": ("solid", "dash", "dot", "dashdot")[place % 4]},
                yaxis="y2" if name in apart else "y",
                meta={"role": "series", "place": place},
            )
        )
    other = {
        "title": {"text": "adversarial loss", "standoff": 8},
        "automargin": True,
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
    }
    return figure(
        traces,
        showlegend=True,
        legend=BELOW,
        hovermode="x unified",
        xaxis={"title": {"text": "step", "standoff": 8}, "automargin": True},
        yaxis={"title": {"text": "loss", "standoff": 8}, "automargin": True},
        **({"yaxis2": other} if apart else {}),
    )


def diagnostic(points: Sequence[TrainingPoint], name: str) -> go.Figure:
    """One diagnostic of the game, at the steps at which it was measured."""
    told = [(point.step, point.diagnostics[name]) for point in points]
    line = go.Scatter(
        x=[step for step, _ in told],
        y=[float(f"{value:.5g}") for _, value in told],
        mode="lines+markers" if len(told) < 30 else "lines",
        name=plain(name.replace("_", " "), 40),
        line={"width": 2},
        meta={"role": "series", "place": 0},
    )
    return figure(
        [line],
        hovermode="x unified",
        xaxis={"title": {"text": "step", "standoff": 8}, "automargin": True},
        yaxis={"automargin": True, "rangemode": "tozero" if name != "detection" else "normal"},
    )
