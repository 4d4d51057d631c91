"""Training: rows in tokens to a generator. The third door for rows.

``loop`` is the way through; ``phases`` has the two kinds of training, ``run`` what one step does,
``replay`` how CUDA repeats it, ``probe`` looks at the game, ``checkpoint`` is what is left on the
way.
"""

from __future__ import annotations

from synthgan.train.checkpoint import Checkpoints, fingerprint
from synthgan.train.device import choose_device
from synthgan.train.loop import Trained, train
from synthgan.train.phases import fade
from synthgan.train.run import OnStep, Step, step_critic

__all__ = [
    "Checkpoints",
    "OnStep",
    "Step",
    "Trained",
    "choose_device",
    "fade",
    "fingerprint",
    "step_critic",
    "train",
]
