"""Answers from a model: one engine behind chat, ask, batch and bench."""
