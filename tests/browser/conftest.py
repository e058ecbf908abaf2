"""One Chromium for all tests of a process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from chromium import Browser, new_driver


@pytest.fixture(scope="session")
def session_browser() -> Iterator[Browser]:
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        assert "CI" not in os.environ, "CI has Chromium"
        pytest.skip("chromium and chromium-driver are not installed")
    driver = new_driver()
    yield Browser(driver)
    driver.quit()


@pytest.fixture
def browser(session_browser: Browser) -> Iterator[Browser]:
    """The window; after the test nothing was asked for but the page, and the console is empty."""
    yield session_browser
    assert session_browser.errors() == []
    assert [url for url in session_browser.requests() if not url.startswith("file:")] == []
