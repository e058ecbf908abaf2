"""What a worker agrees to do, whatever luigid says."""

from __future__ import annotations

import pytest

from luigigo.golang.actions import Kind
from luigigo.model import ActionId, Digest, Output
from luigigo.protocol.messages import Grant
from luigigo.tasks.actions import PlanTasks
from luigigo.worker.assignment import assignment_of
from luigigo.worker.families import TaskRefused

PLAN = "0123456789abcdef" * 4


def grant(family: str = "CompilePackage", **params: str) -> Grant:
    return Grant("task", 7, family, params)


@pytest.mark.parametrize("kind", Kind)
def test_the_tasks_of_a_plan_are_errands(kind: Kind) -> None:
    """What a client offers a worker takes on, as the action that the task is of."""
    task = PlanTasks(PLAN).task(ActionId(f"{kind.value} example.com/a [program]"))
    assignment = assignment_of(grant(task.task_family, **task.to_str_params()))
    assert (assignment.task_id, assignment.lease, assignment.plan) == ("task", 7, PLAN)
    assert assignment.action == task.action_id


@pytest.mark.parametrize(
    "family", ["", "BuildBinary", "Evil", "compilepackage", "CompilePackage\n", "x" * 10_000]
)
def test_unknown_families_are_refused(family: str) -> None:
    """A worker runs no task but luigigo's actions, and says so in few words."""
    with pytest.raises(TaskRefused) as refusal:
        assignment_of(grant(family, import_path="a", plan=PLAN))
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"plan": PLAN},
        {"import_path": "a"},
        {"import_path": "a", "plan": PLAN, "module": "evil"},
        {"profile": "a", "plan": PLAN},
    ],
)
def test_other_parameters_are_refused(params: dict[str, str]) -> None:
    """An action has its two parameters, no fewer and no more."""
    with pytest.raises(TaskRefused, match="import_path and plan"):
        assignment_of(grant(**params))


@pytest.mark.parametrize(
    "plan",
    ["", "../../etc/passwd", PLAN + "\n", PLAN.upper(), PLAN[:-1], PLAN + "0", f"/{PLAN[1:]}", "٣" * 64],
)
def test_a_plan_that_is_no_digest_is_refused(plan: str) -> None:
    """What names a plan can never name another file."""
    with pytest.raises(TaskRefused, match="no digest"):
        assignment_of(grant(import_path="a", plan=plan))


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    """Empty and endless names, and those with a zero byte, are refused."""
    with pytest.raises(TaskRefused, match="no name"):
        assignment_of(grant(import_path=name, plan=PLAN))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a b", "link x", "-o"])
def test_a_strange_name_is_only_ever_looked_up(name: str) -> None:
    """A name stands behind its kind, so that it finds an action of that kind in the plan or nothing."""
    assert assignment_of(grant(import_path=name, plan=PLAN)).action == f"compile {name}"


@pytest.mark.parametrize(
    "made",
    [
        {"../x": {}},
        {PLAN: {"export": Output(Digest("../../etc/passwd"), 7)}},
        {PLAN: {"export": Output(Digest(PLAN), 7), "object": Output(Digest(PLAN + "\n"), 7)}},
    ],
)
def test_what_others_made_is_called_by_digests(made: dict[str, dict[str, Output]]) -> None:
    """What is to be read is never another file."""
    params = {"import_path": "a", "plan": PLAN}
    with pytest.raises(TaskRefused, match="not called by digests"):
        assignment_of(Grant("task", 7, "CompilePackage", params, made=made))


def test_what_others_made_is_passed_on() -> None:
    """As luigid says it."""
    made = {PLAN: {"export": Output(Digest(PLAN), 7)}}
    params = {"import_path": "a", "plan": PLAN}
    assert assignment_of(Grant("task", 7, "CompilePackage", params, made=made)).made == made
