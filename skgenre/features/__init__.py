"""Waveform to array: spectrograms, MFCC statistics, a trained network's view."""

from skgenre.features._mel_transformer import MelSpectrogramTransformer
from skgenre.features._mfcc import mfcc_statistics
from skgenre.features._mfcc_standardizer import MFCCStandardizer
from skgenre.features._musicnn import MusicnnEmbedding
from skgenre.features._spectrogram import log_mel_spectrogram

__all__ = [
    "MFCCStandardizer",
    "MelSpectrogramTransformer",
    "MusicnnEmbedding",
    "log_mel_spectrogram",
    "mfcc_statistics",
]
