"""The two phases of training, one step at a time.

A phase is a small machine: :meth:`advance` takes one step, ``at`` says how far it is in plain
numbers, and ``tensors`` what else it remembers. So a checkpoint can be taken between any two
steps, and a phase that is restored from one goes on as if nothing had been.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from synthgan.errors import TrainingError
from synthgan.network.critic import Critic
from synthgan.network.optim import RAMP, adam, adamw, fade, set_rate
from synthgan.progress import Phase, Step
from synthgan.train.probe import detection, gradient_norm, look, warnings
from synthgan.train.run import Run, finite, mean_of, replayed
from synthgan.train.steps import critic_step, descend, generator_step, likelihood, validation_loss

_WARM_STEPS = 3000
_ADVERSARIAL_STEPS = 50  # after a warm start
_WGAN_STEPS = 2000  # without one
_CRITIC_HEAD_START = 25

_REPORT_EVERY = 10
_PATIENCE = 100  # steps without a better validation likelihood before the rate is cut
_PATIENCE_LATER = 50  # the same once it was cut: slower steps are less erratic
_OVERFITTED = 1.0  # nats above the best that no longer call for patience
_TOLERANCE = 5e-3  # nats by which the validation likelihood must improve to count
_CUT = 0.3  # what is left of a rate that is cut
_JUMP = (0.25, 1.0)  # share, and nats besides, that a warm start may lose between two checks


@dataclass(kw_only=True)
class Schedule:
    """How far a phase is."""

    phase: Phase
    step: int = 0
    """Generator steps done."""
    rate: float
    """Of the warm start: its learning rate; of the other phase: what rates are multiplied by."""
    best_step: int = 0
    """When the validation likelihood was last better, or the rate was cut."""
    cuts: int = 0
    head_start: int = 0
    """Steps that the critic did before the generator."""
    start_loss: float | None = None
    """Validation loss before the phase, if there was one."""
    diverged: int = 0
    """How often training diverged and went back."""
    over: bool = False


Memory = dict[str, "torch.nn.Module | torch.optim.Optimizer | list[Tensor]"]
"""What a phase remembers in tensors, by name."""


class WarmStart:
    """Teacher-forced likelihood, until the validation likelihood has stopped improving thrice."""

    phase: Phase = "warm start"

    def __init__(self, run: Run) -> None:
        settings = run.settings
        self.run = run
        self.at = Schedule(phase=self.phase, rate=settings.warm_start_lr)
        self.steps = settings.steps or _WARM_STEPS
        if settings.adversarial and settings.steps:
            self.steps = math.ceil(settings.steps * 5 / 6)
        rows, size = run.ranks.total(len(run.rows.training), run.batch_size)
        self.check_every = max(min(round(rows / size), 50), 10)
        self.losses: list[Tensor] = []
        self.renew()

    def renew(self) -> None:
        """Goes on with a new optimiser, at the rate and with the batches of now."""
        run, size = self.run, self.run.batch_size
        self.optimizer = optimizer = adamw(run.generator, self.at.rate)

        def step() -> Tensor:
            loss = likelihood(run, size)
            descend(run.generator, optimizer, loss, run.ranks)
            return loss.detach()

        self.step = replayed(run, step, [run.generator], [optimizer])

    @property
    def memory(self) -> Memory:
        return {"optimizer": self.optimizer, "losses": self.losses}

    def advance(self) -> Step | None:
        """One step; what there is to report of it."""
        run, at = self.run, self.at
        at.step += 1
        set_rate(self.optimizer, at.rate * min(1.0, at.step / RAMP))
        self.losses.append(self.step())
        run.blend(0.98, at.step)
        last = at.step == self.steps or run.out_of_time(0.75 if run.settings.adversarial else 1.0)
        checked = at.step % self.check_every == 0 or last
        validation = validation_loss(run) if checked else None
        report = _report(
            run,
            at,
            self.steps,
            validation,
            last=last,
            fields=lambda: {"likelihood_loss": mean_of(self.losses)},
        )
        if validation is not None:
            self._judge(validation)
        if last and at.step < self.steps and at.cuts < 3:
            run.notes.append(
                f"the time was up after {at.step:,} step{'s' * (at.step > 1)} of the warm start, "
                "before it had learned all it could; rows may be poor: allow more minutes"
            )
        at.over |= at.cuts == 3 or last
        return report

    def finish(self) -> None:
        """Ends the phase with its best state."""
        self.run.return_to_best()

    def _judge(self, validation: float) -> None:
        """Keeps a better state; goes back to the best one if it diverged, or got no better."""
        run, at = self.run, self.at
        share, nats = _JUMP
        patience = _PATIENCE_LATER if at.cuts else _PATIENCE
        if not validation <= run.best_loss + share * abs(run.best_loss) + nats:  # or is NaN
            at.over = _fall_back(run, at)
        elif validation < run.best_loss - _TOLERANCE:
            run.keep(validation)
            at.best_step = at.step
            return
        elif at.step - at.best_step >= patience or validation > run.best_loss + _OVERFITTED:
            at.cuts += 1
            run.return_to_best()
        else:
            return
        at.best_step, at.rate = at.step, at.rate * _CUT
        self.renew()


class Adversarial:
    """The game, WGAN-GP by default; after a warm start a short one, with the likelihood as a
    regulariser."""

    phase: Phase = "adversarial"

    def __init__(self, run: Run) -> None:
        settings, warm = run.settings, run.settings.warm_start
        self.run = run
        self.at = Schedule(phase=self.phase, rate=1.0, start_loss=finite(run.best_loss))
        self.steps = _ADVERSARIAL_STEPS if warm else _WGAN_STEPS
        if settings.steps:
            self.steps = max(settings.steps // 6, 1) if warm else settings.steps
        self.head_start = min(_CRITIC_HEAD_START, self.steps) if warm else 0
        self.generator_rate = settings.generator_lr or (1e-4 if warm else 4e-4)
        self.critic = self._new_critic()
        self.good_critic = self._new_critic()  # as it was when the state was last good
        self.renew()
        self.critic_losses: list[Tensor] = []
        self.generator_losses: list[Tensor] = []

    def _new_critic(self) -> Critic:
        run = self.run
        rng = torch.Generator().manual_seed(1)
        wanted = run.settings.auxiliary
        critic = Critic(run.generator.layout, run.config.network, rng, auxiliary=wanted)
        return critic.to(run.device)

    def renew(self) -> None:
        """Goes on with new optimisers, and with the batches of now."""
        run, settings, critic = self.run, self.run.settings, self.critic
        self.critic_optimizer = of_critic = adam(critic, settings.critic_lr)
        self.generator_optimizer = of_generator = adam(run.generator, self.generator_rate)

        def move_critic() -> Tensor:
            return critic_step(run, critic, of_critic, settings.critic_steps)

        def move_generator() -> Tensor:
            return generator_step(run, critic, of_generator)

        self.move_critic = replayed(run, move_critic, [critic], [of_critic])
        self.move_generator = replayed(run, move_generator, [run.generator], [of_generator])

    @property
    def memory(self) -> Memory:
        return {
            "critic": self.critic,
            "good_critic": self.good_critic,
            "critic_optimizer": self.critic_optimizer,
            "generator_optimizer": self.generator_optimizer,
            "critic_losses": self.critic_losses,
            "generator_losses": self.generator_losses,
        }

    def advance(self) -> Step | None:
        """One step; what there is to report of it."""
        run, at, settings = self.run, self.at, self.run.settings
        if at.head_start < self.head_start:
            self._advance_critic()
            return None
        at.step += 1
        share = fade(at.step, self.steps) * at.rate
        set_rate(self.critic_optimizer, settings.critic_lr * share)
        set_rate(self.generator_optimizer, self.generator_rate * share)
        self.critic_losses.append(self.move_critic())
        self.generator_losses.append(self.move_generator())
        run.blend(0.99, at.step if not settings.warm_start else 10**6)
        last = at.step == self.steps or run.out_of_time()
        checked = at.step % 50 == 0 or last
        validation = validation_loss(run) if checked else None
        report = _report(
            run,
            at,
            self.steps,
            validation,
            last=last,
            fields=lambda: {
                "critic_loss": mean_of(self.critic_losses),
                "generator_loss": mean_of(self.generator_losses),
                **(self._diagnosis() if checked else {}),
            },
        )
        at.over = last
        if validation is not None:
            self._judge(validation)
        return report

    def finish(self) -> None:
        """Notes what is wrong with the game, if anything is."""
        told = [step.critic_loss for step in self.run.history if step.phase == self.phase]
        probe = look(self.run, self.critic)
        self.run.notes += warnings(self.run.objective, probe, told[-1] if told else None)

    def _diagnosis(self) -> dict[str, float | None]:
        """Fields of :class:`Step` that tell how the game stands."""
        probe = look(self.run, self.critic)
        return {
            "critic_slope": finite(probe.slope),
            "critic_gap": finite(probe.gap),
            "generator_gradient": finite(gradient_norm(self.run.generator)),
            "distinct": probe.distinct,
            "recall": probe.recall,
        }

    def _advance_critic(self) -> None:
        """One step of the critic alone, before the generator may answer."""
        run, at = self.run, self.at
        at.head_start += 1
        set_rate(self.critic_optimizer, run.settings.critic_lr * min(1.0, at.head_start / RAMP))
        critic_step(run, self.critic, self.critic_optimizer, 1)
        if at.head_start == self.head_start:
            self.good_critic.load_state_dict(self.critic.state_dict())

    def _judge(self, validation: float) -> None:
        """Keeps the state unless it diverged: then goes back to the last good one.

        The adversarial loss is another goal than the likelihood, so a small loss of likelihood
        is no divergence.
        """
        run, start = self.run, self.at.start_loss
        limit = math.inf if start is None else start + 0.02 * abs(start) + 0.1
        if math.isfinite(validation) and validation <= limit:
            run.keep(validation)
            self.good_critic.load_state_dict(self.critic.state_dict())
            return
        self.at.over |= _fall_back(run, self.at)
        self.critic.load_state_dict(self.good_critic.state_dict())
        self.renew()
        self.at.rate *= _CUT


AnyPhase = WarmStart | Adversarial


def _report(
    run: Run,
    at: Schedule,
    steps: int,
    validation: float | None,
    *,
    last: bool,
    fields: Callable[[], dict[str, float | None]],
) -> Step | None:
    """What there is to report of a step, with the ``fields`` of its phase; None if nothing is."""
    detected = run.detection_is_due(at.step, last=last)
    if validation is None and not detected and at.step % _REPORT_EVERY:
        return None
    found = fields()  # empties the losses so far
    return Step(
        phase=at.phase,
        step=at.step,
        of=steps,
        seconds=run.seconds,
        validation_loss=finite(validation),
        detection=detection(run) if detected else None,
        **found,
    )


def phases_of(run: Run) -> Iterator[type[AnyPhase]]:
    """The phases that the settings ask for, in order."""
    if run.settings.warm_start:
        yield WarmStart
    if run.settings.adversarial:
        yield Adversarial


def _fall_back(run: Run, at: Schedule) -> bool:
    """Goes back to the last good state and notes it; whether the phase is to end, since this
    was the second time."""
    at.diverged += 1
    what = f"the {at.phase}" if at.phase == "warm start" else "adversarial training"
    if at.diverged > 1 and run.best is None:
        raise TrainingError(
            f"{what} diverged twice before anything was learned; lower its learning rate"
        )
    run.return_to_best()
    again, then = ("", "and training went on from it with a lower rate")
    if at.diverged > 1 or at.over:
        again, then = (" again" * (at.diverged > 1), "and is what was kept")
    run.notes.append(
        f"{what} diverged{again} at step {at.step:,} (the likelihood of rows set aside fell); the "
        f"last good state came back, {then}"
    )
    return at.diverged > 1
