"""Inspection: pictures of clips and of what was learned, and judgements of answers."""

from skgenre.inspection._displays._cluster import ClusterDisplay
from skgenre.inspection._displays._embedding import EmbeddingDisplay
from skgenre.inspection._displays._filter_activation import FilterActivationDisplay
from skgenre.inspection._displays._learning_curves import LearningCurvesDisplay
from skgenre.inspection._displays._risk_coverage import RiskCoverageDisplay
from skgenre.inspection._displays._silhouette import SilhouetteDisplay
from skgenre.inspection._displays._silhouette_curve import SilhouetteCurveDisplay
from skgenre.inspection._displays._spectrogram import SpectrogramDisplay
from skgenre.inspection._displays._timeline import TimelineDisplay
from skgenre.inspection._filters._activation import maximize_activation
from skgenre.inspection._filters._saliency import saliency
from skgenre.inspection._filters._sonify import sonify
from skgenre.inspection._report._html import classification_report_html
from skgenre.inspection._scores._bootstrap import bootstrap_accuracy
from skgenre.inspection._scores._calibration import expected_calibration_error
from skgenre.inspection._scores._comparison import compare_predictions
from skgenre.inspection._scores._score_intervals import score_intervals

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
    "bootstrap_accuracy",
    "classification_report_html",
    "compare_predictions",
    "expected_calibration_error",
    "maximize_activation",
    "saliency",
    "score_intervals",
    "sonify",
]
