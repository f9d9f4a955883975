"""The ground floor: errors, families, settings, artifacts, fingerprints, the workspace.

Knows nothing of models, data or training, and imports nothing heavy.
"""
