"""The F1 of a common and of a rare genre over the threshold of its probability."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

rng = np.random.default_rng(0)
thresholds = np.linspace(0.01, 0.99, 99)
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, share in (("rock, a third of the clips", 1 / 3), ("polka, 4 %", 0.04)):
    is_of = rng.random((2, 4000)) < share
    features = rng.normal(size=(2, 4000, 1)) + 1.5 * is_of[..., None]
    model = LogisticRegression().fit(features[0], is_of[0])
    probability = model.predict_proba(features[1])[:, 1]
    scores = [f1_score(is_of[1], probability >= limit) for limit in thresholds]
    (line,) = ax.plot(thresholds, scores, label=name)
    best = int(np.argmax(scores))
    ax.plot(thresholds[best], scores[best], "o", color=line.get_color())
ax.axvline(0.5, color="grey", linestyle=":")
ax.set(xlabel="Threshold", ylabel="F1 on new clips", ylim=(0, 1))
ax.legend()
