"""Luigi's page of a run of thousands of tasks in a real Chromium, served by a real luigid."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from chromium import Browser
from crowd import COUNT
from selenium.webdriver.common.by import By
from support import Lab, free_port, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.builds]

FILES = {"go.mod": "module example.com/small\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"}


class Shown:
    """The visualizer of one luigid."""

    def __init__(self, browser: Browser, port: int, token: str) -> None:
        self.browser = browser
        self.site = f"http://luigigo:{quote(token)}@127.0.0.1:{port}"

    def open(self, where: str = "") -> None:
        """Show the page of tasks, anew."""
        self.browser.driver.get("about:blank")
        self.browser.driver.get(f"{self.site}/static/visualiser/index.html{where}")

    def text(self) -> str:
        """All that can be read."""
        return str(self.browser.run("document.body.innerText"))

    def shows(self, *words: str) -> bool:
        """Whether all of them can be read."""
        text = self.text()
        return all(word in text for word in words)


def test_a_crowd_is_shown_while_it_runs_and_after(lab: Lab, session_browser: Browser, tmp_path: Path) -> None:
    """3,000 tasks: counted, named and with their messages as text; the build's row leads to its report."""
    project, port = lab.write(FILES, "small"), free_port()
    luigid = lab.start("luigigo", "scheduler", "--port", port)
    assert luigid.stdout is not None
    luigid.stdout.readline()
    (tmp_path / "steps").mkdir()
    token = (lab.folder / ".config" / "luigigo" / "token").read_text().strip()
    environment = {
        "PYTHONPATH": os.pathsep.join((lab.environment["PYTHONPATH"], str(Path(__file__).parent))),
        "CROWD": str(tmp_path / "steps"),
    }
    with open(tmp_path / "client.log", "w") as log:
        client = lab.start(
            "luigi", "--module", "crowd", "Crowd", "--project", project, "--scheduler-port", port,
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    page = Shown(session_browser, port, token)
    page.browser.driver.get_log("browser")
    page.open()
    wait_until(lambda: len(os.listdir(tmp_path / "steps")) == COUNT - 1, "for the steps to be done")
    page.open("#tab=tasks&statuses=[%22RUNNING%22]")
    wait_until(lambda: page.shows("Step", "<img src=x", "40%"), page.text())
    page.browser.picture("visualizer-running")
    (tmp_path / "steps" / "go on").touch()
    assert client.wait(120) == 0, (tmp_path / "client.log").read_text()
    page.open("#tab=tasks&search__search=BuildBinary")
    wait_until(lambda: page.shows("BuildBinary", f"{COUNT + 2}"), page.text())
    page.browser.picture("visualizer-done")
    assert page.browser.driver.title == "Luigi Task Visualiser"
    link = page.browser.driver.find_element(By.CSS_SELECTOR, "a[href^='/luigigo/report/']")
    page.browser.driver.get(page.site + str(link.get_dom_attribute("href")))
    wait_until(lambda: page.shows("What would make it shorter"), page.text())
    page.browser.picture("visualizer-report")
    assert page.browser.errors() == []
