"""One training step taken apart, with numbers read from the run."""
