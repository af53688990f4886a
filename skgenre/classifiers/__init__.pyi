from ._abstaining import AbstainingClassifier, risk_coverage_curve
from ._base import BaseGenreClassifier
from ._missing_clip_classifier import MissingClipClassifier
from ._multi_label import MultiLabelClassifier
from ._networks._crnn import CRNNClassifier
from ._networks._own_network import KerasGenreClassifier
from ._networks._parallel_cnn_rnn import ParallelCNNRNNClassifier
from ._networks._second_order import SecondOrderClassifier
from ._segment import SegmentClassifier
from ._tagging._tagger import GenreTagger
from ._temperature_scaling import TemperatureScalingClassifier

__all__ = [
    "AbstainingClassifier",
    "BaseGenreClassifier",
    "CRNNClassifier",
    "GenreTagger",
    "KerasGenreClassifier",
    "MissingClipClassifier",
    "MultiLabelClassifier",
    "ParallelCNNRNNClassifier",
    "SecondOrderClassifier",
    "SegmentClassifier",
    "TemperatureScalingClassifier",
    "risk_coverage_curve",
]
