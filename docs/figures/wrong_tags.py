"""Which tags look wrong: those of tracks that are surely of another genre."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import MFCCStandardizer
from skgenre.datasets import make_genre_clips

rng = np.random.default_rng(0)
clips = make_genre_clips(160, duration=5, random_state=0)
names, tags = np.unique(clips.target, return_inverse=True)
is_wrong = np.isin(np.arange(160), rng.choice(160, size=10, replace=False))
tags[is_wrong] = (tags[is_wrong] + 1) % len(names)

X = MFCCStandardizer(statistics="correlations").fit_transform([*clips.waveforms])
probabilities = cross_val_predict(
    make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=1000)),
    X,
    tags,
    groups=clips.groups,
    cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
    method="predict_proba",
)
predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
of_tag = probabilities[np.arange(160), tags]
usual = np.array([of_tag[tags == genre].mean() for genre in range(len(names))])
is_listed = (predicted != tags) & (confidence >= usual[predicted])

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for rows, label, colour in (
    (predicted == tags, "agrees with the tag", "0.7"),
    ((predicted != tags) & ~is_listed, "another genre, not sure", "C0"),
    (is_listed, "looks wrong", "C1"),
):
    ax.plot(confidence[rows], of_tag[rows], "o", color=colour, label=label)
ax.plot(confidence[is_wrong], of_tag[is_wrong], "kx", label="was made wrong")
ax.set(
    xlabel="Probability of the predicted genre",
    ylabel="Probability of the genre in the tag",
    xlim=(0.2, 1),
    ylim=(0, 1),
)
ax.legend(loc="upper left")
