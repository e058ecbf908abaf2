"""What Luigi's page shows of tasks: names and words for people, and nothing that it would run."""

from __future__ import annotations

from typing import Any

import pytest

from luigigo.scheduling import page
from luigigo.scheduling.scheduler import ReadyScheduler

PLAN = "ab" * 32


def shown(scheduler: ReadyScheduler) -> dict[str, Any]:
    """What the page's table gets, by task."""
    return dict(scheduler.task_list("", ""))


@pytest.fixture
def scheduler() -> ReadyScheduler:
    """One that knows a build of one package, and a task of somebody else's."""
    made = ReadyScheduler()
    action: dict[str, Any] = {"param_visibilities": {"import_path": 0, "plan": 1}, "worker": "w"}
    made.add_task(
        task_id="build", worker="w", family="BuildBinary", module="luigigo.tasks", deps=["link"],
        params={"project": "/p", "race": "False"},
    )  # fmt: skip
    for task_id, family, deps in (("link", "LinkBinary", ["compile"]), ("compile", "CompilePackage", [])):
        params = {"import_path": "example.com/<b>", "plan": PLAN}
        made.add_task(task_id=task_id, family=family, deps=deps, params=params, **action)
    made.add_task(task_id="mine", worker="w", family="<i>Mine", params={"day": "1"})
    return made


@pytest.mark.parametrize(
    ("outcome", "seconds", "node", "text"),
    [
        ("ran", 1.234, "n1", "ran 1.2 s on n1"),
        ("ran", 0.034, "n1", "ran 0.03 s on n1"),
        ("ran", 3, "", "ran 3.0 s"),
        ("cutoff", 0.1, "n1", "cut off"),
        ("hit", 0.1, "n1", "cached"),
        ("failed", 0.1, "n1", "failed on n1"),
    ],
)
def test_what_an_action_did_is_said_in_a_few_words(
    outcome: str, seconds: float, node: str, text: str
) -> None:
    """With the node where tools ran."""
    assert page.did(outcome, seconds, node) == text


def test_a_row_has_the_package_and_what_it_did(scheduler: ReadyScheduler) -> None:
    """And not the plan's digest, though workers are given that."""
    scheduler.set_task_status_message("compile", "ran 1.2 s on n1")
    scheduler.set_task_status_message("mine", "half")
    row = shown(scheduler)["compile"]
    assert row["params"] == {"import_path": "example.com/<b>", "did": "ran 1.2 s on n1"}
    assert row["display_name"] == "CompilePackage(import_path=example.com/<b>)"
    assert shown(scheduler)["mine"]["params"] == {"day": "1"}
    assert PLAN not in str(shown(scheduler))
    work = scheduler.get_work(worker="w", host="h", current_tasks=[])
    while work["task_id"] == "mine":
        work = scheduler.get_work(worker="w", host="h", current_tasks=["mine"])
    assert work["task_params"] == {"import_path": "example.com/<b>", "plan": PLAN}


def test_a_graph_names_actions_by_their_packages(scheduler: ReadyScheduler) -> None:
    """In HTML, for the page puts the names into its own as they are."""
    graph = scheduler.dep_graph("build")
    assert {task_id: node["name"] for task_id, node in graph.items()} == {
        "build": "BuildBinary",
        "link": "example.com/&lt;b&gt; (LinkBinary)",
        "compile": "example.com/&lt;b&gt;",
    }
    assert scheduler.dep_graph("mine")["mine"]["name"] == "&lt;i&gt;Mine"
    assert PLAN not in str(graph)


def test_a_message_is_no_part_of_the_page(scheduler: ReadyScheduler) -> None:
    """The page inserts these answers as HTML; there may be none."""
    scheduler.set_task_status_message("mine", "<script>1</script>")
    assert scheduler.get_task_status_message("mine")["statusMessage"] == "&lt;script&gt;1&lt;/script&gt;"
    assert scheduler.get_task_status_message("compile")["statusMessage"] is None
    assert shown(scheduler)["mine"]["status_message"] == "<script>1</script>"
    scheduler.add_scheduler_message_response("mine", "m", "<b>")
    assert scheduler.get_scheduler_message_response("mine", "m") == {"response": "&lt;b&gt;"}


def test_the_command_of_an_error_is_that_of_the_build(scheduler: ReadyScheduler) -> None:
    """An action does not run by itself; another task does."""
    error = scheduler.fetch_error("compile")
    assert (error["taskModule"], error["taskFamily"]) == ("luigigo.tasks", "BuildBinary")
    assert error["taskParams"] == {"project": "/p"}
    assert scheduler.fetch_error("mine")["taskParams"] == {"day": "1"}
    assert scheduler.fetch_error("gone") == {"taskId": "gone", "error": ""}
