"""What one of two processes does for test_distributed.py; it prints its findings as JSON."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sample_tables import people, quick

import synthgan
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.errors import SynthganError
from synthgan.network.critic import Critic
from synthgan.network.generator import Generator
from synthgan.network.losses import objective_of
from synthgan.schema.infer import infer_columns
from synthgan.train.distributed import ALONE, Ranks
from synthgan.train.steps import nll, step_critic


def fit(
    ranks: Ranks, frame: Any = None, config: Any = None, **how: Any
) -> tuple[synthgan.Synthesizer, str]:
    """The model of all ranks, and a digest of it."""
    model = synthgan.fit(people() if frame is None else frame, config=config or quick(24), **how)
    history = [dataclasses.replace(step, seconds=0.0) for step in model.history]
    digest = hashlib.sha256(repr(history).encode() if ranks.first else b"")
    for _, weights in sorted(model._generator.state_dict().items()):
        digest.update(weights.numpy().tobytes())
    return model, digest.hexdigest()


def weights_of(model: synthgan.Synthesizer) -> str:
    parts = [each.numpy().tobytes() for each in model._generator.state_dict().values()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def gradients(ranks: Ranks) -> dict[str, float]:
    """How far the gradients of both halves of a batch are from those of the batch in one process,
    as a share of the largest."""
    frame = people()
    schema = infer_columns(frame)
    encoder = Encoder(schema, summarize(frame, schema, synthgan.SummaryConfig()))
    tokens = torch.from_numpy(encoder.encode(frame, np.random.default_rng(0))).long()[:200]
    rng, network = torch.Generator().manual_seed(0), quick().network
    generator = Generator(encoder.layout, network, rng)
    critic = Critic(encoder.layout, network, rng)
    mask = (torch.rand((200, generator.geometry.columns), generator=rng) < 0.3).float()
    z = torch.randn((200, network.noise_width), generator=rng)
    width = critic.features(torch.zeros((1, encoder.layout.entries)), mask[:1]).shape[1]
    real, fake = torch.rand((200, width), generator=rng), torch.rand((200, width), generator=rng)
    mix = torch.rand((200, 1), generator=rng)

    def likelihood(part: slice, among: Ranks) -> torch.Tensor:
        generator.zero_grad()
        nll(generator, tokens[part], mask[part], z[part], None).backward()
        among.average_gradients(generator)
        return torch.cat([each.grad.flatten() for each in generator.parameters()])

    def adversarial(part: slice, among: Ranks) -> torch.Tensor:
        still = torch.optim.SGD(critic.parameters(), lr=0.0)
        game = objective_of("wgan-gp", 1.0)
        step_critic(critic, still, real[part], fake[part], mix[part], game, among)
        return torch.cat([each.grad.flatten() for each in critic.parameters()])

    half = slice(100 * ranks.rank, 100 * ranks.rank + 100)
    found = {}
    for name, gradient in (("likelihood", likelihood), ("critic", adversarial)):
        one, two = gradient(slice(200), ALONE), gradient(half, ranks)
        alone = gradient(half, ALONE)
        found[name] = float((one - two).abs().max() / one.abs().max())
        found[f"{name} of a half"] = float((one - alone).abs().max() / one.abs().max())
    return found


def refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except SynthganError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main(folder: Path) -> None:
    found: dict[str, Any] = {}
    with synthgan.join_ranks() as ranks:
        found["rank"] = [ranks.rank, ranks.size, synthgan.launched_shard()]
        found["gradients"] = gradients(ranks)
        whole, found["whole"] = fit(ranks)
        found["weights"] = weights_of(whole)
        found["validation"] = whole.history[-1].validation_loss
        few = dataclasses.replace(quick(24), summary=synthgan.SummaryConfig(min_category_rows=1))
        found["refused"] = {
            "rows": refusal(lambda: fit(ranks, people(seed=ranks.rank))),
            "settings": refusal(lambda: fit(ranks, config=quick(24 + ranks.rank))),
            "too few": refusal(lambda: fit(ranks, people(3), few)),
        }

        def stop(step: synthgan.Step) -> None:  # on one of them, and not the first
            if step.step == 10 and ranks.rank == 1:
                signal.raise_signal(signal.SIGINT)

        path = folder / "checkpoint"
        checkpoint = synthgan.CheckpointConfig(path=path)
        part, _ = fit(ranks, on_step=stop, checkpoint=checkpoint)
        found["stopped"] = [part.notes[0], part.history[-1].step, weights_of(part)]
        again = synthgan.CheckpointConfig(path=path, resume=True)
        model, found["again"] = fit(ranks, checkpoint=again)
        found["weights again"] = weights_of(model)
    # each writes, since a pipe that nobody reads would hold it up
    (folder / f"{os.environ['RANK']}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(Path(sys.argv[1]))
