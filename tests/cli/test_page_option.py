"""`--html`, alone or with a file."""

import pytest

from dadeum.cli.page_option import expect_page
from dadeum.core.errors import ConfigError


def test_a_page_ends_with_html() -> None:
    expect_page("a.html")
    expect_page("A.HTM")
    with pytest.raises(ConfigError, match=r"expected a file that ends with \.html"):
        expect_page("a.csv")
