"""Two clips, and where a network finds their genres in them."""

import matplotlib.pyplot as plt

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import make_genre_clips
from skgenre.inspection import SpectrogramDisplay, saliency

clips = make_genre_clips(48, ("ambient", "techno"), duration=4, random_state=0)
mel = MelSpectrogramTransformer(n_frames=86, n_mels=48)
X = mel.transform([*clips.waveforms])
network = CRNNClassifier(
    filters=(32, 32), lstm_units=32, learning_rate=0.003, epochs=25, random_state=0
)
network.fit(X[:-4], clips.target[:-4])  # not the last artist of each genre

figure, axes = plt.subplots(2, 2, figsize=(6.5, 4.4), sharex=True, layout="constrained")
for row, i in zip(axes, (-2, -1), strict=True):
    (genre,) = network.predict(X[i][None])
    (shares,) = saliency(network, X[i][None])
    SpectrogramDisplay.from_estimator(mel, clips.waveforms[i], ax=row[0])
    row[0].set_title(f"A clip of {clips.target[i]}")
    extent = (*row[0].get_xlim(), 0, 1)
    row[1].imshow(shares.T, origin="lower", aspect="auto", cmap="magma", extent=extent)
    row[1].set(title=f"What speaks for {genre}", yticks=[], xlabel="Seconds")
