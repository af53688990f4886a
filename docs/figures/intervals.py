"""What draws of clips and draws of artists make of the same predictions."""

import matplotlib.pyplot as plt
import numpy as np

from skgenre.inspection import bootstrap_accuracy

rng = np.random.default_rng(0)
artists = np.repeat(np.arange(20), 10)
share = np.repeat(rng.beta(4, 2, size=20), 10)  # some artists are easy, others are not
right = rng.random(200) < share

figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, groups in (("200 clips are drawn", None), ("20 artists are drawn", artists)):
    accuracies = bootstrap_accuracy(right, groups)
    low, high = np.percentile(accuracies, [2.5, 97.5])
    label = f"{name}: {low:.2f} to {high:.2f}"
    ax.hist(accuracies, bins=np.linspace(0.4, 0.9, 51), alpha=0.6, label=label)
ax.axvline(right.mean(), color="black", linestyle=":")
ax.set(xlabel="Accuracy", ylabel="Draws")
ax.legend(loc="upper right")
