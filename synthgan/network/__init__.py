"""The two networks: a chain generator and the critic. Plain torch modules.

**Generator.** A row state h starts from noise z and the cells that are given; position by
position, in table order, a small head reads h, a token is drawn, and the token's embedding
is added to h. Given cells enter twice: through the trunk, so that every draw is conditioned
on all of them whatever their place in the order, and in their turn, instead of a draw. The
same weights are run in three ways: :meth:`Generator.logits` (teacher forced on real rows, all
positions at once), :meth:`Generator.draw` (tokens, no gradient) and
:meth:`Generator.relaxed` (straight-through Gumbel-softmax, Jang et al. 2017, for the
gradient that comes from the critic).

**Critic.** A perceptron on one-hot codes, within-bin offsets, global ranks and the mask of
given cells; no normalisation, as the gradient penalty needs rows to be judged one by one.

Shapes: B rows, P positions, E one-hot entries, C columns that have positions, W row state.
"""

from synthgan.network.critic import Critic
from synthgan.network.generator import Chain, Generator
from synthgan.network.geometry import Geometry, onehot
from synthgan.network.kernels import categorical

__all__ = ["Chain", "Critic", "Generator", "Geometry", "categorical", "onehot"]
