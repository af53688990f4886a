"""
A network of your own
=====================

Any Keras network that ends in one probability for each genre can be trained here:
`KerasGenreClassifier` takes the function that builds it. What is written down while it
trains, callbacks of Keras decide.
"""

# %%
# Music
# -----
# A folder that is named on the command line, or else synthetic clips of 10 s.

import importlib.util
import sys
import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import pandas as pd
from keras import layers
from sklearn.model_selection import GroupShuffleSplit

from skgenre import KerasGenreClassifier, MelSpectrogramTransformer
from skgenre.datasets import load_audio_folder, make_genre_clips

scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)
if len(sys.argv) > 1:
    tracks = load_audio_folder(sys.argv[1])
else:
    tracks = make_genre_clips(72, random_state=0, folder=folder / "music")
groups = range(len(tracks.paths)) if tracks.groups is None else tracks.groups
X = MelSpectrogramTransformer(n_frames=108, n_mels=32, n_jobs=2).fit_transform(
    tracks.paths
)
splitter = GroupShuffleSplit(1, test_size=1 / 3, random_state=0)
train, test = next(splitter.split(X, tracks.target, groups))

# %%
# The network
# -----------
# The function gets the shape of a spectrogram and the number of genres, and parameters
# of its own. Convolutions over two axes need a third one for their channels.


def build(input_shape, n_classes, filters=8):
    """Return two blocks of convolutions, and means over time and frequency."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((*input_shape, 1)),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(2 * filters, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


# %%
# Training
# --------
# Each fit copies the callbacks: a search or a cross-validation can have them, too.
# ``tensorboard --logdir FOLDER`` would show the curves while the network trains.

callbacks = [keras.callbacks.CSVLogger(folder / "log.csv")]
if importlib.util.find_spec("tensorboard"):
    callbacks.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
network = KerasGenreClassifier(
    build,
    network_parameters={"filters": 12},
    optimizer={"name": "adamw", "weight_decay": 0.01},
    learning_rate=0.01,
    metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2, name="in_best_2")],
    callbacks=callbacks,
    batch_size=16,
    epochs=20,
    validation_fraction=0.2,
    random_state=0,
)
network.fit(X[train], tracks.target[train])
score = network.score(X[test], tracks.target[test])
print(f"Accuracy, new artists: {score:.2f}")

# %%
# What the callbacks wrote
# ------------------------

log = pd.read_csv(folder / "log.csv")
print(f"Epochs in the log: {len(log)}, columns: {', '.join(log)}")
log.plot(x="epoch", y=["accuracy", "val_accuracy", "in_best_2"])
plt.show()
scratch.cleanup()
