"""Which genre when, in a medley of three clips that were not trained on."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgenre import MelSpectrogramTransformer, SegmentClassifier
from skgenre.datasets import make_genre_clips
from skgenre.inspection import TimelineDisplay

GENRES = ("ambient", "rock", "techno")
training = make_genre_clips(48, GENRES, duration=6, random_state=0)
new = make_genre_clips(3, GENRES, duration=6, random_state=1)
model = make_pipeline(
    MelSpectrogramTransformer(n_frames=None, n_mels=32),
    SegmentClassifier(
        make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=500)),
        window=43,
        hop=11,
    ),
)
model.fit([*training.waveforms], training.target)
display = TimelineDisplay.from_estimator(model, np.concatenate(new.waveforms))
display.figure_.set_size_inches(8, 3)
for border in (6, 12):
    display.ax_.axvline(border, color="black", linestyle="--")
display.ax_.set_title("A medley: " + ", ".join(GENRES))
