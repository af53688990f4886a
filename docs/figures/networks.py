"""The two networks of the paper, layer by layer, with the shapes between."""

import matplotlib.pyplot as plt

from skgenre.networks import crnn, parallel_cnn_rnn

KINDS = {
    "Conv1D": "C0",
    "Conv2D": "C0",
    "MaxPooling1D": "C1",
    "MaxPooling2D": "C1",
    "LSTM": "C2",
    "Bidirectional": "C2",
    "Concatenate": "C7",
    "Flatten": "C7",
    "Dense": "C3",
}

# What reads the spectrogram beside the convolutions, and what follows both.
BESIDE = ("rnn_pool", "gru")
AFTER = ("embedding", "genre")

figure, axes = plt.subplots(1, 2, figsize=(8, 6), layout="constrained")
for ax, build in zip(axes, (crnn, parallel_cnn_rnn), strict=True):
    network = build((640, 128), n_classes=8)
    layers = [each for each in network.layers if type(each).__name__ in KINDS]
    layers.sort(key=lambda each: (each.name in AFTER, each.name in BESIDE))
    for row, layer in enumerate(layers):
        name = type(layer).__name__
        left = 0.2 if layer.name in BESIDE else 0
        ax.barh(row, 1 - left, left=left, height=0.8, color=KINDS[name], alpha=0.8)
        shape = " × ".join(map(str, layer.output.shape[1:]))
        ax.text(left + 0.03, row, layer.name, va="center")
        ax.text(0.97, row, shape, va="center", ha="right", family="monospace")
    n_weights = f"{network.count_params():,}"
    ax.set(title=f"{build.__name__}: {n_weights} weights", xlim=(0, 1))
    ax.invert_yaxis()
    ax.axis("off")
