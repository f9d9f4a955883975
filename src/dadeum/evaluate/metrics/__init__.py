"""What is measured."""

from dadeum.core.family import Family

METRICS = Family("dadeum.evaluate.metrics")
