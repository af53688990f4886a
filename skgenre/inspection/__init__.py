"""Inspection: pictures of clips and of what was learned from them."""

from skgenre.inspection._activation import maximize_activation
from skgenre.inspection._filter_activation import FilterActivationDisplay
from skgenre.inspection._learning_curves import LearningCurvesDisplay
from skgenre.inspection._risk_coverage import RiskCoverageDisplay
from skgenre.inspection._saliency import saliency
from skgenre.inspection._sonify import sonify
from skgenre.inspection._spectrogram import SpectrogramDisplay

__all__ = [
    "FilterActivationDisplay",
    "LearningCurvesDisplay",
    "RiskCoverageDisplay",
    "SpectrogramDisplay",
    "maximize_activation",
    "saliency",
    "sonify",
]
