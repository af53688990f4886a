"""
An exported network in a program without skgenre
================================================

NumPy, ONNX Runtime, soundfile and soxr are enough::

    skgenre train music -o genres.model --model crnn
    python -c "import skgenre; crnn = skgenre.load('genres.model')[-1]
    skgenre.export_onnx(crnn, 'genres.onnx')"
    python onnx_alone.py genres.onnx song.wav

The function ``spectrogram`` is the whole preprocessing, to be written in another
language.
"""

import json
import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read by the import

import numpy as np
import onnxruntime
import soundfile
import soxr

# The default settings of MelSpectrogramTransformer, and its floor of -80 dB.
RATE, N_FFT, HOP, N_MELS, N_FRAMES, FLOOR = 22050, 2048, 1024, 128, 640, 1e-8


def spectrogram(waveform):
    """Return the log-mel spectrogram of a waveform at 22,050 Hz: its middle 30 s."""
    # Frames are centred on the hops; outside the waveform there is silence.
    frames = np.pad(waveform, (N_FFT // 2, N_FFT))
    frames = np.lib.stride_tricks.sliding_window_view(frames, N_FFT)[::HOP]
    frames = frames[: 1 + len(waveform) // HOP]
    first = max(0, (len(frames) - N_FRAMES) // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    power = np.abs(np.fft.rfft(frames[first : first + N_FRAMES] * window)) ** 2
    # Slaney's mel scale: 15 mel are 1,000 Hz, below it is linear, above logarithmic.
    highest = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    mel = np.linspace(0, highest, N_MELS + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.fft.rfftfreq(N_FFT, 1 / RATE)[:, np.newaxis]
    bands = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    power = power @ (np.maximum(bands, 0) * 2 / (high - low))
    # Decibels below the loudest value; shorter clips end in the floor.
    ratio = np.full((N_FRAMES, N_MELS), FLOOR)
    ratio[: len(power)] = np.maximum(power / max(power.max(), 1e-10), FLOOR)
    return (10 * np.log10(ratio)).astype(np.float32)


def main(network, song):
    """Print the genres of a song, the most probable first."""
    session = onnxruntime.InferenceSession(network)
    genres = json.loads(session.get_modelmeta().custom_metadata_map["genres"])
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    waveform = soxr.resample(samples.mean(axis=1), rate, RATE)
    inputs = {"spectrograms": spectrogram(waveform)[np.newaxis]}
    ((probabilities,),) = session.run(["probabilities"], inputs)
    for probability, genre in sorted(zip(probabilities, genres, strict=True))[::-1]:
        print(f"{genre} {probability:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
