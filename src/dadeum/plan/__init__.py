"""What would run, what is fresh and why: pure data."""
