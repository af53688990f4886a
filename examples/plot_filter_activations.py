"""
What a network listens for
==========================

Train a network, and look into it: the spectrograms that its filters respond to, what
sounds most like each genre, and which part of a clip speaks for it. Then make that
audible.
"""

# %%
# A trained network
# -----------------
# On a folder or a CSV that is named on the command line, or else on synthetic clips of
# 10 s. It is small, for speed: 215 frames and 64 mel bands, three blocks of filters.

import base64
import io
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from sklearn.pipeline import make_pipeline

from skgenre import MelSpectrogramTransformer, ParallelCNNRNNClassifier
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.inspection import (
    FilterActivationDisplay,
    SpectrogramDisplay,
    saliency,
    sonify,
)

scratch = tempfile.TemporaryDirectory()
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(96, random_state=0, folder=scratch.name)

mel = MelSpectrogramTransformer(n_frames=215, n_mels=64, n_jobs=2)
network = ParallelCNNRNNClassifier(
    filters=(16, 24, 24),
    pool_sizes=((2, 2), (4, 2), (4, 4)),
    gru_units=24,
    learning_rate=0.002,
    batch_size=16,
    epochs=20,
    random_state=0,
)
model = make_pipeline(mel, network)
model.fit(tracks.paths, tracks.target)

# %%
# Filters
# -------
# Each spectrogram was found by gradient ascent: it starts as the mean of the training
# clips, and is changed so that one filter responds more. A filter of the first block
# sees 3 frames of one band, so that many want sound or silence, and others changes from
# frame to frame. The first second is enough to see them.

display = FilterActivationDisplay.from_estimator(model, "conv1", random_state=0)
display.axes_[0, 0].set_xlim(0, 1)

# %%
# A filter of the last block sees most of a second and several bands. What it responds
# to has a rhythm and a place.

display = FilterActivationDisplay.from_estimator(model, "conv3", random_state=0)
start, end = display.result.activations[[0, -1]]
print(
    f"Filters of the last block that respond more: {np.sum(end > start)} of {len(end)}"
)
print(f"Their median activation: {np.median(start):.2f}, then {np.median(end):.2f}")

# %%
# Genres
# ------
# The same for the output: what sounds most like each genre to this network. It is no
# music, but shows what the network would like to hear more of.

most = FilterActivationDisplay.from_estimator(model, "genre", random_state=0)
predictions = network.predict(most.result.spectrograms)
for genre, predicted in zip(most.result.filters, predictions, strict=True):
    print(f"What sounds most like {genre} is taken for {predicted}")

# %%
# Saliency
# --------
# Where is the genre, in a given clip? The map is 1 where the clip speaks for it most.

clip = mel.transform(tracks.paths[:1])
(where,) = saliency(network, clip, tracks.target[:1])
figure, axes = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
SpectrogramDisplay(clip[0]).plot(ax=axes[0])
axes[0].set(title=f"A clip of {tracks.target[0]}", xlabel="")
SpectrogramDisplay(where).plot(
    ax=axes[1], colorbar=False, cmap="viridis", vmin=0, vmax=1
)
axes[1].set_title("What speaks for it")
figure.colorbar(axes[1].collections[0], ax=axes[1])

# %%
# Audible
# -------
# `sonify` turns spectrograms into sound again: what the network would like to hear, and
# what it heard in the clip. Each band is turned down to silence where the map is 0.

floor = -mel.top_db
salient = floor + np.sqrt(where) * (clip[0] - floor)
paths = {name: Path(scratch.name, f"{name}.wav") for name in ("most", "salient")}
for name, spectrogram in (
    ("most", most.result.spectrograms[0]),
    ("salient", salient),
):
    sound = sonify(spectrogram, mel, path=paths[name], random_state=0)
    (again,) = mel.transform([paths[name]])
    r = np.corrcoef(again[: len(spectrogram)].ravel(), spectrogram.ravel())[0, 1]
    print(f"{name}.wav: {len(sound) / mel.sample_rate:.1f} s, correlation {r:.2f}")


# %%
# The clip itself, to compare:


class Player:
    """A sound file with a button to play it, in these pages and in notebooks."""

    def __init__(self, path):
        self.path = path

    def _repr_html_(self):
        sound, rate = soundfile.read(self.path)
        file = io.BytesIO()
        soundfile.write(file, sound, rate, format="MP3")
        content = base64.b64encode(file.getvalue()).decode()
        return f'<audio controls src="data:audio/mpeg;base64,{content}"></audio>'


Player(tracks.paths[0])

# %%
# What speaks for its genre:

Player(paths["salient"])

# %%
# What sounds most like the first genre to this network:

Player(paths["most"])

# %%

plt.show()
scratch.cleanup()
