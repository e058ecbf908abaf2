"""A real Chromium, which tells of every request and every word on its console."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1600")


def new_driver() -> webdriver.Chrome:
    """A Chromium without a screen."""
    options = Options()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, path: Path, width: int = 1280, height: int = 1600, scheme: str = "light") -> None:
        """Show a page in a window of this size, and forget what was logged before."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        phone = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        touch = {"enabled": width < 500, "maxTouchPoints": 5}
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", touch)
        self.show(path.as_uri())

    def show(self, url: str) -> None:
        """Go to a page, and forget what was logged before."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def requests(self) -> list[str]:
        """What was asked for since the page was opened."""
        said = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = (each for each in said if each["method"] == "Network.requestWillBeSent")
        return [each["params"]["request"]["url"] for each in sent]

    def errors(self) -> list[str]:
        """What the console says."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, name: str) -> None:
        """A screenshot, where `LUIGIGO_TEST_PICTURES` names a folder for them."""
        folder = os.environ.get("LUIGIGO_TEST_PICTURES")
        if folder:
            self.driver.save_screenshot(f"{folder}/{name}.png")
