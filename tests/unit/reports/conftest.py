"""The page of a nightly run in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusterlab.reports.html import page
from tests.support.browser import Page, browser
from tests.support.sample import nightly_run


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "report.html").write_text(page(nightly_run()))
    with browser(folder / "profile") as shown:
        shown.open(folder / "report.html")
        yield shown
