"""Luigi's page of a run of 3,000 tasks, in Chromium, while it goes on and after."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from crowd import SAID, SMALL
from selenium.webdriver.common.by import By
from support import Lab, free_port, wait_until

pytestmark = pytest.mark.builds

OTHERS = ("Crowd", "Gate", "BuildBinary", "LinkBinary", "CompilePackage")
"""The families of the run of which there is one task; all packages but one are compiled before."""
HERE = Path(__file__).parent
MAIN = 'package main\n\nfunc main() { println("hello") }\n'


class Visualizer:
    """The page of a luigid, for whoever has the token."""

    def __init__(self, browser: Browser, host: str, token: str) -> None:
        self.browser, self.host = browser, host
        key = base64.b64encode(f"luigigo:{token}".encode()).decode()
        browser.driver.execute_cdp_cmd("Network.enable", {})
        headers = {"headers": {"Authorization": f"Basic {key}"}}
        browser.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", headers)

    def open(self) -> None:
        """Show the list of tasks from the beginning, and return when all are in it."""
        self.browser.driver.get("about:blank")
        self.browser.show(f"{self.host}/static/visualiser/index.html")
        wait_until(lambda: self.rows() >= SMALL + len(OTHERS), "for all tasks")

    def rows(self) -> int:
        """How many tasks the table has on all its pages."""
        return int(self.browser.run("window.$ ? $('#taskTable').DataTable().data().length : 0"))

    def count(self, status: str) -> int:
        """How many tasks the box of a state counts."""
        box = self.browser.driver.find_element(By.ID, f"{status}_info")
        return int(box.find_element(By.CSS_SELECTOR, ".info-box-number").text)

    def find(self, text: str) -> None:
        """Filter the table."""
        field = self.browser.driver.find_element(By.CSS_SELECTOR, "#taskTable_filter input")
        field.clear()
        field.send_keys(text)

    def table(self) -> list[str]:
        """The text of the rows that are shown."""
        return [row.text for row in self.browser.driver.find_elements(By.CSS_SELECTOR, "#taskTable tbody tr")]

    def click(self, selector: str) -> None:
        """Click what is found first."""
        self.browser.driver.find_element(By.CSS_SELECTOR, selector).click()


@pytest.fixture
def luigid(lab: Lab) -> Iterator[str]:
    """Where a luigid of the lab's answers."""
    with open(lab.folder / "luigid.log", "w") as log:
        process = lab.start("luigigo", "scheduler", "--port", free_port(), stderr=log)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline().removeprefix("ready "))
    yield f"http://127.0.0.1:{facts['port']}"
    process.send_signal(signal.SIGTERM)
    process.wait(60)


@pytest.fixture
def visualizer(lab: Lab, luigid: str, session_browser: Browser) -> Iterator[Visualizer]:
    """Its page; the window forgets the token after the test."""
    token = (lab.folder / ".config" / "luigigo" / "token").read_text().strip()
    yield Visualizer(session_browser, luigid, token)
    session_browser.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


@pytest.fixture
def crowd(lab: Lab, luigid: str) -> Iterator[subprocess.Popen[str]]:
    """The run, whose first half is done or soon will be."""
    project = lab.write({"go.mod": "module example.com/small\n\ngo 1.26\n", "main.go": MAIN}, "small")
    (lab.folder / "made").mkdir()
    arguments = ("--module", "crowd", "Crowd", "--folder", lab.folder / "made", "--project", project)
    paths = {"PYTHONPATH": os.pathsep.join([lab.environment["PYTHONPATH"], str(HERE)])}
    with open(lab.folder / "crowd.log", "w") as log:
        options = ("--scheduler-port", luigid.rpartition(":")[2], "--workers", "2")
        yield lab.start("luigi", *arguments, *options, env=paths, stderr=log, stdout=log)


def test_a_large_run_can_be_followed(
    lab: Lab, crowd: subprocess.Popen[str], visualizer: Visualizer, session_browser: Browser
) -> None:
    """All tasks are in the table, names and messages are text, and the build's row leads to its report."""
    made = lab.folder / "made"
    log = lab.folder / "crowd.log"
    wait_until(lambda: (made / "app").exists() or crowd.poll() is not None)
    assert crowd.poll() is None, log.read_text()
    wait_until(lambda: len(list(made.iterdir())) > SMALL // 2, "for the first half")
    visualizer.open()
    assert visualizer.count("RUNNING") == 1
    assert visualizer.count("PENDING") == SMALL // 2 + 1
    visualizer.find("Gate")
    session_browser.picture("visualizer-running")
    assert len(visualizer.table()) == 1
    visualizer.click("#taskTable button.statusMessage")
    message = session_browser.driver.find_element(By.CSS_SELECTOR, "#statusMessageModal pre")
    wait_until(lambda: message.text == SAID, f"for the message: {message.text}")
    session_browser.picture("visualizer-message")
    (made / "open").touch()
    assert crowd.wait(120) == 0, log.read_text()
    visualizer.open()
    assert visualizer.count("DONE") == SMALL + len(OTHERS)
    visualizer.find("<i>2999</i>")
    assert ["<i>2999</i>" in row for row in visualizer.table()] == [True]
    session_browser.picture("visualizer-done")
    visualizer.find("BuildBinary")
    driver = session_browser.driver
    link = driver.find_element(By.CSS_SELECTOR, "#taskTable a[title='Track Progress']").get_attribute("href")
    assert link is not None
    session_browser.show(link)
    assert driver.title.startswith("ok, ")
    assert str(lab.folder / "small") in driver.title
    session_browser.picture("visualizer-report")
    assert [each for each in session_browser.errors() if "favicon.ico" not in each] == []
