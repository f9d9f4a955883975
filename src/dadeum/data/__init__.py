"""From files to token ids with weights. Imports no torch; knows no model."""
