"""When training takes longer than the spectrograms, which no GPU makes sooner.

It runs in its own folder.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np


def milliseconds(benchmark, name):
    """Return what a benchmark has measured."""
    file = Path(f"../../benchmarks/results/0.1.0/{benchmark}.json")
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    return next(each["value"] for each in rows if each["name"] == name)


spectrogram = milliseconds(
    "extraction", "30 s clip to its mel spectrogram, processor time"
) / milliseconds("extraction", "n_jobs=1 / n_jobs=2")

epochs = np.arange(71)
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name in ("CRNN", "parallel network"):
    epoch = milliseconds("training", f"training of the {name}, a clip and epoch")
    ax.plot(epochs, epoch * epochs, label=f"training, {name}")
ax.axhline(spectrogram, color="black", linestyle=":", label="spectrogram, once")
ax.set(xlabel="Epochs", ylabel="Milliseconds a clip", xlim=(0, 70), ylim=(0, None))
ax.legend()
