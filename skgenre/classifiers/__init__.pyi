from ._base import BaseGenreClassifier
from ._meta._abstaining import AbstainingClassifier, risk_coverage_curve
from ._meta._missing_clip import MissingClipClassifier
from ._meta._multi_label import MultiLabelClassifier
from ._meta._segment import SegmentClassifier
from ._meta._temperature_scaling import TemperatureScalingClassifier
from ._networks._crnn import CRNNClassifier
from ._networks._own_network import KerasGenreClassifier
from ._networks._parallel_cnn_rnn import ParallelCNNRNNClassifier
from ._networks._second_order import SecondOrderClassifier
from ._tagging._tagger import GenreTagger

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
