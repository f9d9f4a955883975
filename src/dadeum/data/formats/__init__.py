"""Kinds of rows, recognised by their columns."""

from dadeum.core.family import Family

FORMATS = Family("dadeum.data.formats")
