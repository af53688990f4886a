from ._displays._cluster import ClusterDisplay
from ._displays._embedding import EmbeddingDisplay
from ._displays._filter_activation import FilterActivationDisplay
from ._displays._learning_curves import LearningCurvesDisplay
from ._displays._risk_coverage import RiskCoverageDisplay
from ._displays._silhouette import SilhouetteDisplay
from ._displays._silhouette_curve import SilhouetteCurveDisplay
from ._displays._spectrogram import SpectrogramDisplay
from ._displays._timeline import TimelineDisplay
from ._filters._activation import maximize_activation
from ._filters._saliency import saliency
from ._filters._sonify import sonify
from ._report._html import classification_report_html
from ._report._several_html import multilabel_report_html
from ._scores._accuracies import accuracy_scores
from ._scores._bootstrap import bootstrap_accuracy
from ._scores._calibration import expected_calibration_error
from ._scores._comparison import compare_predictions
from ._scores._hierarchical import hierarchical_scores
from ._scores._label_errors import suspected_label_errors
from ._scores._score_intervals import score_intervals
from ._scores._several_genres import multilabel_score_intervals

__all__ = [
    "ClusterDisplay",
    "EmbeddingDisplay",
    "FilterActivationDisplay",
    "LearningCurvesDisplay",
    "RiskCoverageDisplay",
    "SilhouetteCurveDisplay",
    "SilhouetteDisplay",
    "SpectrogramDisplay",
    "TimelineDisplay",
    "accuracy_scores",
    "bootstrap_accuracy",
    "classification_report_html",
    "compare_predictions",
    "expected_calibration_error",
    "hierarchical_scores",
    "maximize_activation",
    "multilabel_report_html",
    "multilabel_score_intervals",
    "saliency",
    "score_intervals",
    "sonify",
    "suspected_label_errors",
]
