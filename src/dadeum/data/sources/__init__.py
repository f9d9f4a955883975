"""Where rows come from."""

from dadeum.core.family import Family

SOURCES = Family("dadeum.data.sources")
