"""Walks the plan; the runs of a workspace."""
