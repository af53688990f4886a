"""Waveform to array: spectrograms, MFCC statistics, trained networks' views."""

from skgenre.features._keras_embedding import KerasEmbedding
from skgenre.features._mel_transformer import MelSpectrogramTransformer
from skgenre.features._mfcc import mfcc_statistics
from skgenre.features._mfcc_standardizer import MFCCStandardizer
from skgenre.features._musicnn import MusicnnEmbedding
from skgenre.features._precompute import precompute
from skgenre.features._spectrogram import log_mel_spectrogram
from skgenre.features._spectrogram_file import SpectrogramFile

__all__ = [
    "KerasEmbedding",
    "MFCCStandardizer",
    "MelSpectrogramTransformer",
    "MusicnnEmbedding",
    "SpectrogramFile",
    "log_mel_spectrogram",
    "mfcc_statistics",
    "precompute",
]
