"""The two networks: a chain generator and the critic. Plain torch modules.

**Generator.** A row state h starts from noise z and the cells that are given; position by
position, in table order, a small head reads h, a token is drawn, and the token's embedding
is added to h. A cell that is given stands in h from the start, by an embedding for cells that
are ahead, so that every draw before it is conditioned on it; at its place, instead of a draw,
that embedding is exchanged for the one of cells that are past. Once all given cells are past, h
is what it would be if they had been drawn: conditions on the first columns are exact. The
same weights are run in three ways: :meth:`Generator.logits` (teacher forced on real rows, all
positions at once), :meth:`Generator.draw` (tokens, no gradient) and
:meth:`Generator.relaxed` (straight-through Gumbel-softmax, Jang et al. 2017, for the
gradient that comes from the critic).

**Critic.** A perceptron on one-hot codes, within-bin offsets, global ranks and the mask of
given cells; no normalisation, as the gradient penalty needs rows to be judged one by one. Where
a column is named, a classifier beside it tells that column's cell from the others (AC-GAN).

Shapes: B rows, P positions, E one-hot entries, C columns that have positions, W row state.
"""

from synthgan.network.critic import Classifier, Critic, check_auxiliary
from synthgan.network.generator import Chain, Drawable, Generator, GroupLogits
from synthgan.network.geometry import Geometry, onehot
from synthgan.network.kernels import categorical

__all__ = [
    "Chain",
    "Classifier",
    "Critic",
    "Drawable",
    "Generator",
    "Geometry",
    "GroupLogits",
    "categorical",
    "check_auxiliary",
    "onehot",
]
