"""How weights move."""

from dadeum.core.family import Family

OPTIMIZERS = Family("dadeum.train.optimizers")
