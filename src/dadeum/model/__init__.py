"""Models loaded, adapted, run packed, merged. Knows no data files."""
