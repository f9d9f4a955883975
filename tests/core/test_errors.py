"""dadeum.core.errors: one tree, one exit code."""

import inspect

import pytest

from dadeum.core import errors

TREE = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.DadeumError)]


@pytest.mark.parametrize("kind", [c for c in TREE if c is not errors.Interrupted])
def test_user_faults_exit_with_2(kind: type[errors.DadeumError]) -> None:
    assert kind("text").exit_code == 2
    assert str(kind("text")) == "text"


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_signals_exit_as_shells_do(number: int, code: int) -> None:
    assert errors.Interrupted("stopped", number).exit_code == code


def test_docstring_draws_every_class() -> None:
    drawn = errors.__doc__ or ""
    assert [c.__name__ for c in TREE if c.__name__ not in drawn] == []
