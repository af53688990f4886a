"""When training takes longer than the spectrograms, which no GPU makes sooner."""

import matplotlib.pyplot as plt
import numpy as np
from measured import measured

extraction, training = measured("extraction"), measured("training")
spectrogram = extraction["30 s clip to its mel spectrogram, processor time"]
spectrogram /= extraction["n_jobs=1 / n_jobs=2"]

epochs = np.arange(71)
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name in ("CRNN", "parallel network"):
    epoch = training[f"training of the {name}, a clip and epoch"]
    ax.plot(epochs, epoch * epochs, label=f"training, {name}")
ax.axhline(spectrogram, color="black", linestyle=":", label="spectrogram, once")
ax.set(xlabel="Epochs", ylabel="Milliseconds a clip", xlim=(0, 70), ylim=(0, None))
ax.legend()
