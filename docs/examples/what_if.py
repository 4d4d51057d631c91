# %% [markdown]
# # A what-if table
#
# What would a diamond cost if it were of this weight and that colour? A fitted model fills up
# partly known rows: here weight and colour, for combinations that are rare in the table too.
# What a stone of that kind costs really is a distribution, and the model draws from it.
#
# Run it from the repository's folder: `python docs/examples/what_if.py`.

# %%
import pandas as pd

import synthgan

STEPS = None  # the rows decide; a small number for a quick look
DRAWS = 200  # stones of each kind

diamonds = synthgan.read_table("datasets/diamonds.csv")
config = synthgan.Config(train=synthgan.TrainConfig(steps=STEPS))
model = synthgan.fit(diamonds, config=config)

# %% [markdown]
# Every weight with every colour, 200 times: the rest of each row is drawn given both.

# %%
weights = [0.31, 0.51, 1.01, 1.51]
colours = ["D", "G", "J"]
kinds = pd.DataFrame([(w, c) for w in weights for c in colours], columns=["carat", "color"])
asked = kinds.loc[kinds.index.repeat(DRAWS)].reset_index(drop=True)
drawn = model.sample(given=asked, seed=1)
assert (drawn["carat"] == asked["carat"]).all()

# %% [markdown]
# Beside it, the real stones of that colour whose weight is within 3 %, and how many there are.

# %%
rows = []
for weight, colour in kinds.itertuples(index=False):
    near = diamonds[
        (diamonds["color"] == colour) & diamonds["carat"].between(0.97 * weight, 1.03 * weight)
    ]
    made = drawn[(drawn["color"] == colour) & (drawn["carat"] == weight)]
    low, middle, high = made["price"].quantile([0.1, 0.5, 0.9])
    rows.append(
        {
            "carat": weight,
            "color": colour,
            "median price": round(middle),
            "8 of 10 between": f"{low:,.0f} and {high:,.0f}",
            "real median": near["price"].median(),
            "real stones": len(near),
        }
    )
table = pd.DataFrame(rows)
print(table.to_string(index=False))

# %% [markdown]
# The other way round: what are stones like that cost 5,000 to 5,500?

# %%
bought = model.sample(1000, where={"price": (5000, 5500)}, seed=1)
print(bought[["carat", "depth", "table"]].describe().loc[["mean", "std"]].round(2))
print(bought["clarity"].value_counts(normalize=True).round(2).head(4).to_string())

# %% [markdown]
# Medians are within a tenth or so of those of real stones, also where there are few of these: 0.51
# carat of colour J is 1,134 by the model, and 1,004 by the six stones of the table. That is the
# model's opinion of what such a stone would cost, and no evidence: it has seen the same six.
