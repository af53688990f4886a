"""Inspection: pictures of clips and of what was learned from them."""

from skgenre.inspection._learning_curves import LearningCurvesDisplay
from skgenre.inspection._risk_coverage import RiskCoverageDisplay
from skgenre.inspection._spectrogram import SpectrogramDisplay

__all__ = ["LearningCurvesDisplay", "RiskCoverageDisplay", "SpectrogramDisplay"]
