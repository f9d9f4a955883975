"""What an export's figures are called."""

import pytest

from dadeum.export.words import word


def test_figures_have_names_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "en")
    assert word("max_logit_difference") == "max logit difference"
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert word("max_logit_difference") == "가장 큰 로짓 차이"
    assert word("figure_of_a_plugin") == "figure of a plugin"
