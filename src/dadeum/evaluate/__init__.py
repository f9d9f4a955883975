"""Scores and comparisons."""
