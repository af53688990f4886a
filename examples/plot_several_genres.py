"""
Several genres of one clip
==========================

Much music is of more than one genre: half of FMA's tracks have no single top genre, and
the tags of a library say "Rock; Pop". Here duos play, each musician in a style of their
own, and a classifier finds both styles of duos that it has never heard.
"""

# %%
# Music
# -----
# Synthetic musicians of four styles play alone or in duos of two styles. Each musician
# is in one duo, which is therefore what a split keeps together. The duos of another
# random seed are other musicians: they are the test.

import matplotlib.pyplot as plt
import numpy as np

from skgenre import genre_pipeline
from skgenre.datasets import make_genre_clips
from skgenre.inspection import multilabel_score_intervals

STYLES = np.array(["ambient", "rock", "techno", "waltz"])
PAIRS = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)), ((0,), (1,), (2,), (3,))]


def play_together(n_clips, random_state):
    """Return clips of one or two styles, the styles of each, and who plays."""
    alone = make_genre_clips(
        n_clips, STYLES.tolist(), duration=8, random_state=random_state
    )
    clips, genres, duos = [], [], []
    for turn in range(n_clips // len(STYLES)):  # two clips of each musician
        for members in PAIRS[turn // 2 % len(PAIRS)]:
            parts = alone.waveforms[[turn * len(STYLES) + i for i in members]]
            level = np.sqrt((parts**2).mean(axis=1, keepdims=True))
            clips.append((parts / level).mean(axis=0) / 10)
            genres.append(tuple(STYLES[list(members)].tolist()))
            duos.append(f"{turn // 2}: {members}")
    return clips, genres, np.array(duos)


clips, genres, duos = play_together(512, random_state=0)
new_clips, new_genres, new_duos = play_together(128, random_state=1)
print(f"{len(clips)} clips to learn from, such as {genres[0]}; {len(new_clips)} new")

# %%
# Training
# --------
# `multi_label=True` makes a classifier for each genre, whose threshold is chosen on
# folds of duos that it was not trained on. The networks need no such option.

model = genre_pipeline("fast", multi_label=True, n_jobs=2)
model.fit(clips, genres, multilabelclassifier__groups=duos)
thresholds = model[-1].thresholds_
print(dict(zip(model.classes_.tolist(), thresholds.round(2).tolist(), strict=True)))
print(model.predict(new_clips[:3]).tolist(), new_genres[:3])

# %%
# Scores on new musicians
# -----------------------
# The label-ranking average precision says how far up a clip's own genres are when all
# genres are ranked by their probability; thresholds don't matter for it. Its interval,
# and those below, are over duos.

scores = multilabel_score_intervals(
    new_genres,
    model.predict_proba(new_clips),
    model.predict(new_clips),
    labels=model.classes_,
    groups=new_duos,
)
low, high = scores.ranking_precision_interval
print(
    f"Label-ranking average precision: {scores.ranking_precision:.3f} "
    f"({low:.3f} to {high:.3f})"
)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
places = np.arange(len(scores.labels))
for name, offset in (("average_precision", 0.1), ("f1", -0.1)):
    values, limits = scores[name], scores[f"{name}_interval"].T
    left.errorbar(
        values,
        places + offset,
        xerr=np.abs(limits - values),
        fmt="o",
        label={"f1": "F1"}.get(name, "Average precision"),
    )
left.set(yticks=places, yticklabels=scores.labels, xlim=(0, 1.02))
left.legend(loc="lower left")

# %%
# A row of the matrix has the clips of a genre, and how many of these got each genre:
# in place of a confusion matrix, since what is beside the diagonal may be right, too.

right.imshow(scores.cooccurrence, cmap="Blues")
for (row, column), count in np.ndenumerate(scores.cooccurrence):
    right.text(column, row, count, ha="center", va="center")
right.set(
    xticks=places,
    yticks=places,
    xticklabels=scores.labels,
    yticklabels=scores.labels,
    xlabel="Predicted",
    ylabel="True",
)
plt.show()
