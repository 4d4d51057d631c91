"""The training loop: a likelihood warm start, then WGAN-GP. The third door for rows.

The warm start teaches the generator by teacher forcing until the likelihood of rows set
aside stops improving. Then the critic learns to tell its rows from real ones, and the
generator to fool the critic, with the likelihood kept as a regulariser. What is returned is
an exponential average of the generator's weights: no row, no critic (which has learned real
rows), no optimiser.

Sampling from the average and the schedule follow the measured recipe in docs/benchmarks.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthgan.config import Config
from synthgan.encode.encoder import Tokens
from synthgan.encode.layout import Layout
from synthgan.errors import TrainingError
from synthgan.network.critic import check_auxiliary
from synthgan.network.generator import Generator
from synthgan.progress import OnStep, Step
from synthgan.train.checkpoint import Checkpoints
from synthgan.train.device import choose_device
from synthgan.train.distributed import ALONE, Ranks
from synthgan.train.interrupts import Interrupts
from synthgan.train.phases import AnyPhase, phases_of
from synthgan.train.run import Run


@dataclass(frozen=True)
class Trained:
    """What training leaves behind."""

    generator: Generator
    history: tuple[Step, ...]
    notes: tuple[str, ...]
    """What the owner should know: stopped early, diverged."""
    interrupted: bool = False


def train(
    tokens: Tokens,
    layout: Layout,
    config: Config,
    *,
    on_step: OnStep | None = None,
    checkpoints: Checkpoints | None = None,
    ranks: Ranks = ALONE,
    context: int = 0,
) -> Trained:
    """Trains a generator on ``tokens`` (rows x positions, from :meth:`Encoder.encode`).

    ``on_step`` is called every few steps; a KeyboardInterrupt, from there or the keyboard,
    ends training early after the current step and keeps the best state, and a checkpoint if
    there are ``checkpoints``. Of several ``ranks`` each learns from its share of the rows. The
    first ``context`` columns of the layout are given in each row, and not learned.

    Raises :class:`TrainingError` for a device that is not there, a checkpoint that is of
    something else, or if nothing can be learned at these learning rates; :class:`ConfigError`
    for an auxiliary column that is not there or has no classes.
    """
    device = choose_device(config.train.device)
    if config.train.auxiliary is not None:
        check_auxiliary(layout, config.train.auxiliary)
    if not layout.spans or len(tokens) < 2:
        rng = torch.Generator().manual_seed(config.seed)
        generator = Generator(layout, config.network, rng).to(device)
        return Trained(generator.eval(), (), ("nothing to learn: no column varies",))
    if not ranks.apart and len(tokens) < 2 * ranks.size:
        raise TrainingError(
            f"{len(tokens)} rows cannot be shared by {ranks.size} processes; start fewer"
        )
    run = Run.begin(tokens, layout, config, device, on_step=on_step, ranks=ranks, context=context)
    interrupts, interrupted = Interrupts(), False
    try:
        with interrupts.held_back():
            _play(run, checkpoints, interrupts)
    except KeyboardInterrupt:
        interrupted = True
        run.notes.append(
            "training was interrupted; the best state until then was kept, which may be a poor one"
        )
    if run.best is not None:
        run.average.load_state_dict(run.best)
    if not all(bool(each.isfinite().all()) for each in run.average.parameters()):
        raise TrainingError("training diverged before anything was learned; lower its rates")
    return Trained(run.average.eval(), tuple(run.history), tuple(run.notes), interrupted)


def _play(run: Run, checkpoints: Checkpoints | None, interrupts: Interrupts) -> None:
    """Both phases, from the start or from a checkpoint, step by step."""
    kinds = list(phases_of(run))
    phase: AnyPhase | None = None
    if checkpoints is not None and checkpoints.config.resume:
        phase = checkpoints.restore(run)
        del kinds[: kinds.index(type(phase))]
    for kind in kinds:
        phase = phase if isinstance(phase, kind) else kind(run)
        while not phase.at.over:
            step = _advance(run, phase)
            if step is not None:
                _report(run, step, interrupts)
            due = checkpoints is not None and checkpoints.is_due
            stop, due = run.ranks.any(interrupts.asked, due and run.ranks.first)
            if checkpoints is not None and (stop or due):
                checkpoints.write(run, phase)
            if stop:
                interrupts.deliver()
        phase.finish()


def _advance(run: Run, phase: AnyPhase) -> Step | None:
    """One step of ``phase``; with smaller batches, if there is not the memory for it."""
    try:
        return phase.advance()
    except torch.OutOfMemoryError:
        pass  # not handled here, so that what the failed step holds is freed first
    run.shrink()
    phase.renew()
    return None


def _report(run: Run, step: Step, interrupts: Interrupts) -> None:
    try:
        run.report(step)
    except KeyboardInterrupt:  # all ranks are to stop at the same step
        interrupts.asked = True
