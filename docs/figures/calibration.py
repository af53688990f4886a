"""Probabilities that are too high, and the same after calibration."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.naive_bayes import GaussianNB

from skgenre import TemperatureScalingClassifier

rng = np.random.default_rng(0)


def clips(n_clips):
    """Return features that say the same several times, and genres."""
    is_rock = rng.random(n_clips) < 0.5
    heard = rng.normal(size=n_clips) + is_rock
    X = heard[:, None] + rng.normal(0, 0.3, size=(n_clips, 6))
    return X, np.where(is_rock, "rock", "folk")


models = {
    "as it is": GaussianNB(),
    "calibrated": TemperatureScalingClassifier(GaussianNB()),
}
training, (X, genres) = clips(500), clips(4000)
figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
for name, model in models.items():
    probabilities = model.fit(*training).predict_proba(X)
    right = model.classes_[probabilities.argmax(axis=1)] == genres
    CalibrationDisplay.from_predictions(
        right, probabilities.max(axis=1), n_bins=8, name=name, ax=ax
    )
ax.set(
    xlim=(0.5, 1),
    ylim=(0.5, 1),
    xlabel="Probability of the predicted genre",
    ylabel="Share that is right",
)
ax.legend(loc="upper left")
