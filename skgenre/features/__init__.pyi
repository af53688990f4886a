from ._mel_transformer import MelSpectrogramTransformer
from ._mfcc import mfcc_statistics
from ._mfcc_standardizer import MFCCStandardizer
from ._precompute import precompute
from ._pretrained._fetch_weights import fetch_weights
from ._pretrained._keras_embedding import KerasEmbedding
from ._pretrained._musicnn import MusicnnEmbedding
from ._spectrogram import log_mel_spectrogram
from ._spectrogram_file import SpectrogramFile

__all__ = [
    "KerasEmbedding",
    "MFCCStandardizer",
    "MelSpectrogramTransformer",
    "MusicnnEmbedding",
    "SpectrogramFile",
    "fetch_weights",
    "log_mel_spectrogram",
    "mfcc_statistics",
    "precompute",
]
