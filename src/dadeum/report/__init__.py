"""A run as one page: what was done, how it went, what came of it."""
