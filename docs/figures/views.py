"""The mix, the harmonic and the percussive view of a synthetic clip."""

import matplotlib.pyplot as plt

from skgenre import MelSpectrogramTransformer
from skgenre.datasets import make_genre_clips
from skgenre.inspection import SpectrogramDisplay

VIEWS = ("mix", "harmonic", "percussive")
clips = make_genre_clips(4, duration=4, random_state=0)
rock = clips.waveforms[clips.target == "rock"][0]
mel = MelSpectrogramTransformer(n_frames=80, n_mels=64, views=VIEWS)
(spectrogram,) = mel.transform([rock])

figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
for i, (ax, view) in enumerate(zip(axes, VIEWS, strict=True)):
    of_view = spectrogram[:, 64 * i : 64 * (i + 1)]
    SpectrogramDisplay(of_view).plot(ax=ax, colorbar=False)
    ax.set_title(view.capitalize())
    if i:
        ax.set_ylabel("")
