"""Memory that spectrograms take in training, in an array and in a file."""

import matplotlib.pyplot as plt
import numpy as np
from measured import measured

CLIP = 640 * 128 * 4  # bytes

growth = measured("memory")[
    "growth of the peak of memory in fit, from 1 to 50 GB of spectrograms"
]
n_clips = np.geomspace(1000, 200_000)
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.loglog(n_clips, n_clips * CLIP / 1e9, label="in an array")
ax.loglog(
    np.array([1e9, 50e9]) / CLIP,
    [growth / 1000] * 2,
    "o-",
    label="in a SpectrogramFile, measured growth",
)
for name, number in (("FMA-small", 8000), ("FMA-large", 106_574)):
    ax.axvline(number, color="grey", linestyle=":")
    ax.text(number, 0.006, f" {name}")
ax.set(xlabel="Clips", ylabel="Memory (GB)", ylim=(0.005, 1000))
ax.legend(loc="upper left")
