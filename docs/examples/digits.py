# %% [markdown]
# # Pictures as rows
#
# A picture is a row too: scikit-learn's digits have 8 x 8 pixels of 17 greys, which is a table of
# 64 columns, and the digit is one more. The model learns the table as any other. Asking for rows
# where the digit is 3 draws threes, and everybody can see how good they are.
#
# Run it from the repository's folder: `python docs/examples/digits.py`. It leaves digits.png, and
# takes a quarter of an hour on a busy machine, most of it for the comparison of objectives.

# %%
import struct
import zlib

import numpy as np
import pandas as pd
from scipy.linalg import sqrtm
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import synthgan

STEPS = None  # the rows decide; a small number for a quick look, without the comparison
DRAWS = 10
OBJECTIVES = ("wgan-gp", "minimax", "non-saturating", "wgan-clip", "hinge-sn")

digits = load_digits()
pixels = [f"p{row}{column}" for row in range(8) for column in range(8)]
table = pd.DataFrame(digits.data.astype(int), columns=pixels)
table.insert(0, "digit", [f"{label}" for label in digits.target])
learned, held = synthgan.split_table(table, holdout=0.3, seed=0)

# %% [markdown]
# The digit is the first column, so that conditions on it are exact. Rules between pixels that hold
# by chance are not looked for.

# %%
schema = synthgan.infer_schema(learned, constraints=False)
default = synthgan.Config(train=synthgan.TrainConfig(steps=STEPS))
model = synthgan.fit(learned, schema, default)


def of_each(model: synthgan.Synthesizer, n: int) -> pd.DataFrame:
    """`n` rows of each digit, drawn by condition."""
    rows = [model.sample(n, where={"digit": f"{label}"}, seed=label) for label in range(10)]
    return pd.concat(rows, ignore_index=True)


drawn = of_each(model, DRAWS)
assert (drawn.groupby("digit").size() == DRAWS).all()

# %% [markdown]
# A small network that reads real digits judges the drawn ones, as Inception judges photographs.
# Does it read what was asked for? The inception score is at most 10: every picture clear, all
# digits equally often. The Fréchet distance is between Gaussians fitted to what its hidden layer
# says of real and of drawn rows; real rows that were held out, in their place, give the yardstick.


# %%
def scaled(rows: pd.DataFrame) -> np.ndarray:
    """Pixels (n, 64) in [0, 1]."""
    return rows[pixels].to_numpy(dtype=float) / 16


reader = MLPClassifier((32,), max_iter=2000, tol=1e-3, random_state=0)
reader.fit(scaled(learned), learned["digit"])


def features(rows: pd.DataFrame) -> np.ndarray:
    """What the reader's hidden layer says (n, 32)."""
    return np.maximum(scaled(rows) @ reader.coefs_[0] + reader.intercepts_[0], 0)


def inception(rows: pd.DataFrame) -> float:
    """exp E KL(p(digit | row), p(digit)) (Salimans et al. 2016)."""
    shares = np.clip(reader.predict_proba(scaled(rows)), 1e-12, 1)
    return float(np.exp((shares * np.log(shares / shares.mean(axis=0))).sum(axis=1).mean()))


def frechet(rows: pd.DataFrame) -> float:
    """||m - m'||^2 + tr(S + S' - 2 (S S')^(1/2)) against the learned rows (Heusel et al. 2017)."""
    one, other = features(learned), features(rows)
    far = ((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum()
    spreads = [np.cov(each, rowvar=False) + 1e-6 * np.eye(32) for each in (one, other)]
    return float(far + np.trace(spreads[0] + spreads[1] - 2 * sqrtm(spreads[0] @ spreads[1]).real))


def figures(rows: pd.DataFrame, asked: pd.DataFrame) -> dict[str, float]:
    """Of rows without a condition, and of rows that were asked for by their digit."""
    read = reader.score(scaled(asked), asked["digit"])
    return {"inception": inception(rows), "Fréchet": frechet(rows), "read as asked": read}


found = {"held out": figures(held, held)}
found["default"] = figures(model.sample(len(held), seed=0), of_each(model, 3 * DRAWS))
print(pd.DataFrame(found).T.round(2).to_string())

# %% [markdown]
# Every objective by itself, without the warm start: small networks and 400 steps, the same for
# all. And with a classifier beside the critic (AC-GAN), so that the generator is paid for digits
# that can be read.

# %%
GAME = {"warm_start": False, "steps": 400, "batch_size": 200, "gradient_penalty": 0.1}
RATES = {"generator_lr": 3e-3, "critic_lr": 3e-3}
SMALL = synthgan.NetworkConfig(
    noise_width=8, width=64, block_width=0, head_width=32, critic_width=64, critic_depth=2
)


def game(**settings: str) -> synthgan.Config:
    """Small networks and the game alone."""
    train = synthgan.TrainConfig(**GAME, **RATES, **settings)
    return synthgan.Config(network=SMALL, train=train)


others = {f"{name} alone": game(objective=name) for name in OBJECTIVES}
others["wgan-gp alone, auxiliary"] = game(auxiliary="digit")
others["default, auxiliary"] = synthgan.Config(train=synthgan.TrainConfig(auxiliary="digit"))
for name, config in others.items() if STEPS is None else ():
    other = synthgan.fit(learned, schema, config)
    found[name] = figures(other.sample(len(held), seed=0), of_each(other, 3 * DRAWS))
    print(pd.DataFrame(found).T.round(2).tail(1).to_string(header=False), flush=True)


# %% [markdown]
# The picture: a line a digit; real ones that were held out on the left, drawn ones on the right.


# %%
def grid(rows: pd.DataFrame) -> np.ndarray:
    """Greys of 10 lines of `DRAWS` pictures, white on black, each with a border."""
    lines = []
    for label in range(10):
        some = scaled(rows[rows["digit"] == f"{label}"].head(DRAWS)).reshape(-1, 8, 8)
        lines.append(np.concatenate([np.pad(each, 1) for each in some], axis=1))
    return np.concatenate(lines)


def png(greys: np.ndarray, zoom: int = 4) -> bytes:
    """Greys (height, width) in [0, 1] as a PNG file, each a square of `zoom` pixels."""
    pixels = (255 * np.kron(greys, np.ones((zoom, zoom)))).round().astype(np.uint8)
    height, width = pixels.shape
    lines = np.insert(pixels, 0, 0, axis=1).tobytes()  # each line begins with its filter: none

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines, 9)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


picture = png(np.concatenate([grid(held), np.ones((100, 2)), grid(drawn)], axis=1))
if __name__ == "__main__":
    with open("digits.png", "wb") as file:
        file.write(picture)
    print("the picture is in digits.png")
