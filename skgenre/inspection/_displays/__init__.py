"""Plots, one module for each."""
