"""What is learnt."""

from dadeum.core.family import Family

OBJECTIVES = Family("dadeum.train.objectives")
