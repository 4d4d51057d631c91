# %% [markdown]
# # A filled survey
#
# People skip questions, and not at random: here those who work much answer less. Whoever
# leaves incomplete rows out, or fills in means, gets wrong answers. Multiple imputation draws
# each hole several times from a model, and says how sure the answer is (Rubin 1987).
#
# Run it from the repository's folder: `python docs/examples/survey.py`.

# %%
import numpy as np
import pandas as pd

import synthgan

STEPS = None  # the rows decide; a small number for a quick look
DRAWS = 10

people = synthgan.read_table("datasets/census.csv")
rng = np.random.default_rng(0)

# %% [markdown]
# Holes in three columns. Whether a question is skipped depends on weeks worked, which everybody
# tells: missing at random, in the textbooks' words, and far from missing completely at random.

# %%
skips = rng.random((len(people), 3)) < np.where(people["weeks_worked"] > 26, 0.5, 0.1)[:, None]
survey = people.copy()
for name, skipped in zip(("age", "education", "dividends"), skips.T, strict=True):
    survey[name] = survey[name].mask(skipped)
print(f"{skips.mean():.0%} of their cells are holes")

# %% [markdown]
# The model learns the survey with its holes, and fills them ten times.

# %%
config = synthgan.Config(train=synthgan.TrainConfig(steps=STEPS))
model = synthgan.fit(survey, config=config)
filled = model.impute(survey, DRAWS, seed=1)
known = survey["age"].notna().to_numpy()
assert (filled.loc[0, "age"].to_numpy()[known] == people["age"].to_numpy()[known]).all()


# %% [markdown]
# Three questions: the mean age, the share of people with a degree, the correlation of age and
# weeks worked. The truth is known here, as the holes were made.


# %%
def answers(table: pd.DataFrame) -> dict[str, float]:
    """The three figures of one table without holes."""
    degree = table["education"].str.contains("degree", na=False)
    return {
        "mean age": table["age"].mean(),
        "with a degree, %": 100 * degree.mean(),
        "age and weeks": table["age"].corr(table["weeks_worked"]),
    }


complete = survey.dropna(subset=["age", "education", "dividends"])
means = survey.fillna(
    {
        "age": survey["age"].mean(),
        "education": survey["education"].mode()[0],
        "dividends": survey["dividends"].median(),
    }
)
each = pd.DataFrame([answers(filled.loc[draw]) for draw in range(DRAWS)])
found = pd.DataFrame(
    {
        "truth": answers(people),
        "incomplete rows left out": answers(complete),
        "means filled in": answers(means),
        "drawn ten times": each.mean(),
        "spread between draws": each.std(),
    }
)
print(found.round(3).to_string())

# %% [markdown]
# Leaving rows out makes people five years older than they are (mean age 49.7 for 44.9), means two
# (46.7); the draws make them .4 years younger (44.5). Degrees are 46.6 % by the draws, 47.2 % in
# truth, and 29 % where the most frequent answer is filled in. The spread between the draws is
# smaller than what is left of the error: it tells how sure the model is of its answer, and not how
# far the model itself is off.
