"""What is made of a finished run."""

from dadeum.core.family import Family

TARGETS = Family("dadeum.export.targets")
