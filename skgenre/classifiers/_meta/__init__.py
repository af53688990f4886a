"""Classifiers around another: windows, abstention, several genres, calibration."""
