"""The page of a run in a real Chromium: what it shows, and that it asks for nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chromium import Browser
from made_runs import large_run
from runrecording import content, drawn, head, history, plan
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from luigigo.reports.history import History
from luigigo.reports.page.build import page
from luigigo.runrecords.lines import (
    AttemptLine,
    EndLine,
    HitEntry,
    HitsLine,
    PhaseLine,
    PlannedAction,
    ticks_of,
)
from luigigo.runrecords.reading import parse

pytestmark = pytest.mark.browser

RAN = AttemptLine(
    0, "n1", "ran", ticks=ticks_of((0.1, 0.1, None, None, 0.1, 0.1, 0.9, 1.0)), slot=0, cpu_seconds=0.7
)
EVIL = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """Shows a run."""

    def show(run: History, other: History | None = None, **window: Any) -> Browser:
        path = tmp_path / "page.html"
        path.write_text(page(run, other), encoding="utf-8")
        browser.open(path, **window)
        return browser

    return show


def text_of(browser: Browser) -> str:
    return str(browser.run("document.body.innerText"))


RUNS: dict[str, Callable[[], History]] = {
    "killed": lambda: History(parse("r", content(head(), plan([(), (0,)]), RAN)[:-9])),
    "failed": lambda: history(
        head(),
        plan([(), (0,)]),
        RAN,
        AttemptLine(
            1,
            "n1",
            "failed",
            ticks=ticks_of((1.0, 1.0, None, None, 1.0, 1.0, None, 1.2)),
            slot=0,
            exit_code=1,
            message="# p/1\n./x.go:3:5: undefined: y\n",
        ),
        EndLine("failed", 1.5, 1),
    ),
    "all hits": lambda: history(
        head(), plan([(), (0,)]), HitsLine((HitEntry(0, 2.0), HitEntry(1, 3.0))), EndLine("ok", 0.2)
    ),
    "one action": lambda: history(head(), plan([()]), RAN, PhaseLine("run", 0.0, 1.0), EndLine("ok", 1.1)),
    "nodes": lambda: History(drawn(5)),
    "nothing": lambda: history(head(), EndLine("failed", 0.1, 2, "go: no such folder")),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_run_is_shown(shown: Callable[..., Browser], name: str, scheme: str) -> None:
    """Whatever became of it, the page has its outcome, draws what ran, and follows the system's colours."""
    run = RUNS[name]()
    browser = shown(run, scheme=scheme)
    said = text_of(browser)
    assert run.record.outcome in said
    assert all(warning in said for warning in run.record.warnings)
    for step in run.steps:
        assert step.line.message.strip() in said
    assert browser.run("timeline.count") == len(run.steps)
    paper = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")
    browser.picture(f"{name.replace(' ', '-')}-{scheme}")


def test_what_comes_from_sources_is_text(shown: Callable[..., Browser]) -> None:
    """Markup in names, messages, commands and errors is shown and does nothing."""
    evil = msgspec.structs.replace(
        plan([()]),
        actions=(PlannedAction(f"compile {EVIL}", "k", 0, ()),),
        modules=(EVIL,),
        project=EVIL,
        packages=(EVIL,),
    )
    failed = msgspec.structs.replace(RAN, outcome="failed", message=EVIL, node=EVIL)
    run = history(head(command=(EVIL,), folder=EVIL), evil, failed, EndLine("failed", 1.0, 1, EVIL))
    browser = shown(run, run)
    browser.run("timeline.choose(0, true)")
    assert EVIL in text_of(browser)
    assert "taken" not in browser.driver.title.replace(EVIL, "")
    assert browser.run("document.images.length") == 0
    assert browser.run("document.scripts.length") == 2


def test_a_click_shows_all_that_is_known(shown: Callable[..., Browser]) -> None:
    """The bar under the pointer is chosen; its dependencies can be gone to; Escape lets it go."""
    run = History(drawn(7))
    browser = shown(run)
    number = next(n for n, step in enumerate(run.steps) if run.actions[step.number].dependencies)
    browser.driver.find_element(By.ID, "scroller").location_once_scrolled_into_view  # noqa: B018
    x, y = browser.run("timeline.place(arguments[0])", number)
    ActionChains(browser.driver).move_by_offset(x, y).click().perform()
    ActionChains(browser.driver).move_by_offset(-x, -y).perform()
    assert browser.run("timeline.selected()") == number
    details = browser.driver.find_element(By.ID, "details")
    step = run.steps[number]
    assert run.actions[step.number].id in details.text
    assert f"{step.moments.started:.4f} s" in details.text
    buttons = [each for each in details.find_elements(By.TAG_NAME, "button") if each.is_enabled()]
    if buttons:
        named = buttons[0].text
        buttons[0].click()
        assert details.find_element(By.TAG_NAME, "h3").text == named
    browser.driver.find_element(By.ID, "scroller").send_keys(Keys.ESCAPE)
    assert browser.run("timeline.selected()") == -1


def test_search_zoom_and_keys(shown: Callable[..., Browser]) -> None:
    """A package is found and gone to, the view becomes narrower and moves, and all of it by keyboard."""
    browser = shown(History(drawn(9)))
    whole = browser.run("timeline.view()")
    box = browser.driver.find_element(By.ID, "search")
    box.send_keys("p/1")
    assert "found" in browser.driver.find_element(By.ID, "found").text
    box.send_keys(Keys.ENTER)
    assert browser.run("timeline.selected()") >= 0
    scroller = browser.driver.find_element(By.ID, "scroller")
    scroller.send_keys("+++")
    narrow = browser.run("timeline.view()")
    assert narrow[1] - narrow[0] < 0.5 * (whole[1] - whole[0])
    scroller.send_keys(Keys.ARROW_LEFT)
    assert browser.run("timeline.view()")[0] < narrow[0]
    scroller.send_keys("0")
    assert browser.run("timeline.view()") == whole
    before = browser.run("timeline.selected()")
    scroller.send_keys("n")
    assert browser.run("timeline.selected()") != before
    for button in (
        "longestchain",
        "happenedchain",
        "zoomin",
        "zoomout",
        "wholeview",
        "listview",
        "asmodules",
    ):
        browser.driver.find_element(By.ID, button).click()
    rows = browser.driver.find_elements(By.CSS_SELECTOR, "#inview tr")
    assert len(rows) == browser.run("timeline.count")
    browser.picture("chains-by-module")


def test_a_phone_scrolls_with_one_finger_and_zooms_with_two(shown: Callable[..., Browser]) -> None:
    """Nothing is wider than 390 pixels, one finger on the timeline scrolls the page, two zoom it."""
    browser = shown(History(drawn(11)), width=390, height=844)
    assert browser.run("document.documentElement.scrollWidth") <= 390
    browser.picture("phone")
    x, y = _middle_of_canvas(browser)
    before = browser.run("scrollY")
    scroll = {"x": x, "y": y, "yDistance": -200, "speed": 3000}
    browser.driver.execute_cdp_cmd("Input.synthesizeScrollGesture", scroll)
    assert browser.run("scrollY") > before
    assert browser.run("timeline.selected()") == -1
    view = browser.run("timeline.view()")
    x, y = _middle_of_canvas(browser)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80)):
        fingers = [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    narrow = browser.run("timeline.view()")
    assert narrow[1] - narrow[0] == pytest.approx((view[1] - view[0]) / 4, rel=0.01)


def _middle_of_canvas(browser: Browser) -> tuple[float, float]:
    """Where its middle is in the window, once it is scrolled there."""
    return tuple(browser.run(
        "(() => { const canvas = document.getElementById('canvas'); canvas.scrollIntoView({block: 'center'});"
        " const b = canvas.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    ))  # fmt: skip


def test_it_prints(shown: Callable[..., Browser]) -> None:
    """The page becomes a PDF, dark system or not."""
    browser = shown(History(drawn(13)), scheme="dark")
    made = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(made["data"]) > 10_000


def test_the_same_record_makes_the_same_page() -> None:
    """Two pages of one run are the same bytes."""
    assert page(History(drawn(15)), History(drawn(16))) == page(History(drawn(15)), History(drawn(16)))


@pytest.mark.parametrize(("actions", "nodes", "slots"), [(3_000, 8, 4), (20_000, 100, 16)])
def test_a_large_run_is_drawn_whole(
    shown: Callable[..., Browser], actions: int, nodes: int, slots: int
) -> None:
    """Every action is there, and what is drawn follows each zoom and move."""
    run = History(large_run(random.Random(1), actions, nodes, slots))
    browser = shown(run)
    assert browser.run("timeline.count") == actions
    pictures = browser.run(
        "(() => { const found = [], canvas = document.querySelector('#canvas');"
        " for (let n = 0; n < 5; n++) { timeline.draw(); found.push(canvas.toDataURL());"
        " timeline.zoom(0.8); timeline.pan(0.02); } return found; })()"
    )
    assert len(set(pictures)) == 5
    browser.picture(f"large-{actions}")
