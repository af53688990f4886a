"""Inspection: pictures of clips and of what was learned from them."""

from skgenre.inspection._cluster import ClusterDisplay
from skgenre.inspection._embedding import EmbeddingDisplay
from skgenre.inspection._learning_curves import LearningCurvesDisplay
from skgenre.inspection._risk_coverage import RiskCoverageDisplay
from skgenre.inspection._silhouette import SilhouetteDisplay
from skgenre.inspection._silhouette_curve import SilhouetteCurveDisplay
from skgenre.inspection._spectrogram import SpectrogramDisplay
from skgenre.inspection._timeline import TimelineDisplay

__all__ = [
    "ClusterDisplay",
    "EmbeddingDisplay",
    "LearningCurvesDisplay",
    "RiskCoverageDisplay",
    "SilhouetteCurveDisplay",
    "SilhouetteDisplay",
    "SpectrogramDisplay",
    "TimelineDisplay",
]
