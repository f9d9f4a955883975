"""What is trained of a model."""

from dadeum.core.family import Family

ADAPTERS = Family("dadeum.model.adapters")
