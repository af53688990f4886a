"""Classifiers: spectrograms and genres in, a fitted estimator out."""

from skgenre.classifiers._abstaining import AbstainingClassifier
from skgenre.classifiers._base import BaseGenreClassifier
from skgenre.classifiers._crnn import CRNNClassifier
from skgenre.classifiers._missing_clip import MissingClipClassifier
from skgenre.classifiers._parallel_cnn_rnn import ParallelCNNRNNClassifier
from skgenre.classifiers._risk_coverage import risk_coverage_curve
from skgenre.classifiers._second_order import SecondOrderClassifier
from skgenre.classifiers._segment import SegmentClassifier

__all__ = [
    "AbstainingClassifier",
    "BaseGenreClassifier",
    "CRNNClassifier",
    "MissingClipClassifier",
    "ParallelCNNRNNClassifier",
    "SecondOrderClassifier",
    "SegmentClassifier",
    "risk_coverage_curve",
]
