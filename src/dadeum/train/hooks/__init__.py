"""What happens beside the loop."""

from dadeum.core.family import Family

HOOKS = Family("dadeum.train.hooks")
