"""A file with a hole, before and after it is read."""

import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import soundfile

from skgenre import load_audio
from skgenre.datasets import make_genre_clips

RATE = 22050
sound = make_genre_clips(4, duration=6, random_state=0).waveforms[1]
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "song.ogg")
    soundfile.write(path, sound, RATE)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    size = len(content) // 5
    content[middle : middle + size] = bytes(size)
    path.write_bytes(content)
    with warnings.catch_warnings(action="ignore"):  # which names the seconds lost
        read = load_audio(path)

figure, axes = plt.subplots(2, 1, figsize=(8, 3), sharex=True, layout="constrained")
for ax, waveform, title in (
    (axes[0], sound, "The song"),
    (axes[1], read, "What is read of a file with a hole"),
):
    ax.plot(np.arange(len(waveform)) / RATE, waveform, linewidth=0.3)
    ax.set(title=title, ylim=(-0.5, 0.5), yticks=[])
axes[1].set_xlabel("Seconds")
