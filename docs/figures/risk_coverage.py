"""How often a classifier is wrong, if it predicts only what it is sure of."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from skgenre import AbstainingClassifier
from skgenre.inspection import RiskCoverageDisplay

rng = np.random.default_rng(0)


def clips(n_clips):
    """Return features of two genres that overlap, and the genres."""
    genres = np.repeat(["folk", "techno"], n_clips // 2)
    return rng.normal(size=(n_clips, 1)) + 2 * (genres == "techno")[:, None], genres


careful = AbstainingClassifier(LogisticRegression(), target_precision=0.95)
careful.fit(*clips(400))
display = RiskCoverageDisplay.from_estimator(careful, *clips(2000))
display.figure_.set_size_inches(6, 3.5)
