"""The queue of ready tasks: dependency counters and a heap."""

from __future__ import annotations

import random

from luigigo.scheduling.ready import ReadyQueue, Stage


def make_queue(*tasks: tuple[str, int, list[str]]) -> ReadyQueue:
    """Pending tasks given as (id, priority, dependencies), older first."""
    queue = ReadyQueue()
    for order, (task_id, priority, deps) in enumerate(tasks):
        queue.put(task_id, priority, order, deps)
        queue.move(task_id, Stage.PENDING)
    return queue


def pop_all(queue: ReadyQueue) -> list[str]:
    popped = []
    while (task_id := queue.pop()) is not None:
        popped.append(task_id)
    return popped


def test_higher_priority_first_then_older() -> None:
    """Ready tasks come by priority, and by age where that is equal."""
    assert pop_all(make_queue(("old", 1, []), ("new", 1, []), ("urgent", 2, []))) == ["urgent", "old", "new"]


def test_a_task_waits_for_each_dependency() -> None:
    """A task is ready when its last dependency is done, and `move` says so."""
    queue = make_queue(("top", 9, ["left", "right"]), ("left", 0, []), ("right", 0, []))
    assert pop_all(queue) == ["left", "right"]
    assert queue.move("left", Stage.DONE) == []
    assert queue.move("right", Stage.DONE) == ["top"]
    assert pop_all(queue) == ["top"]


def test_a_dependency_no_longer_done_withdraws_its_dependents() -> None:
    """A ready task is not handed out once a dependency has to be made again."""
    queue = make_queue(("top", 0, ["low"]))
    queue.move("low", Stage.DONE)
    assert queue.is_ready("top")
    queue.move("low", Stage.PENDING)
    assert not queue.is_ready("top")
    assert pop_all(queue) == ["low"]


def test_an_unknown_dependency_is_not_done() -> None:
    """A task that names a dependency which nobody put never becomes ready."""
    assert pop_all(make_queue(("top", 0, ["never heard of"]))) == []


def test_a_discarded_dependency_is_not_done() -> None:
    """Forgetting a done task makes its dependents wait again."""
    queue = make_queue(("top", 0, ["low"]))
    queue.move("low", Stage.DONE)
    queue.discard("low")
    assert pop_all(queue) == []


def test_refused_tasks_keep_their_places() -> None:
    """A pop that passes over tasks leaves them for the next pop in the same order."""
    queue = make_queue(("a", 3, []), ("b", 2, []), ("c", 1, []))
    assert queue.pop(lambda task_id: task_id == "c") == "c"
    assert queue.pop(lambda task_id: False) is None
    assert pop_all(queue) == ["a", "b"]


def test_a_raised_priority_counts_at_once() -> None:
    """A task whose priority is raised while it is ready passes the others, and comes out once."""
    queue = make_queue(("a", 1, []), ("b", 0, []))
    queue.set_priority("b", 5)
    assert pop_all(queue) == ["b", "a"]


def test_a_popped_task_comes_again_only_when_pending_again() -> None:
    """What was handed out is out, until it is moved back to pending."""
    queue = make_queue(("a", 0, []))
    assert pop_all(queue) == ["a"]
    assert queue.move("a", Stage.PENDING) == ["a"]
    assert pop_all(queue) == ["a"]


def test_new_dependencies_replace_the_old() -> None:
    """Putting a task again with other dependencies makes it wait for those alone."""
    queue = make_queue(("top", 0, ["old"]))
    queue.put("top", 0, 0, ["new"])
    queue.move("old", Stage.DONE)
    assert not queue.is_ready("top")
    queue.move("new", Stage.DONE)
    assert queue.is_ready("top")


class BruteForce:
    """The same promises, kept by looking at everything each time."""

    def __init__(self) -> None:
        self.tasks: dict[str, tuple[int, int, list[str]]] = {}
        self.stages: dict[str, Stage] = {}

    def ready(self) -> list[str]:
        def rank(task_id: str) -> tuple[int, int]:
            priority, order, _ = self.tasks[task_id]
            return -priority, order

        return sorted(
            (
                task_id
                for task_id, (_, _, deps) in self.tasks.items()
                if self.stages.get(task_id) is Stage.PENDING
                and all(self.stages.get(dep) is Stage.DONE for dep in deps)
            ),
            key=rank,
        )


def test_agrees_with_brute_force_on_random_operations() -> None:
    """After any sequence of operations the queue holds what looking at every task would find."""
    for seed in range(40):
        chance = random.Random(seed)
        queue, model = ReadyQueue(), BruteForce()
        for step in range(400):
            operate(chance, queue, model, step)
            expected = model.ready()
            assert len(queue) == len(expected)
            assert all(queue.is_ready(task_id) for task_id in expected)


def operate(chance: random.Random, queue: ReadyQueue, model: BruteForce, step: int) -> None:
    """Do one random operation to both."""
    task_id = f"t{chance.randrange(25)}"
    operation = chance.choice(["put", "move", "move", "move", "pop", "accept", "discard", "priority"])
    if operation == "put":
        priority, deps = chance.randrange(5), [f"t{chance.randrange(25)}" for _ in range(chance.randrange(4))]
        queue.put(task_id, priority, step, deps)
        model.tasks[task_id] = (priority, step, deps)
    elif operation == "move" and task_id in model.tasks:
        stage = chance.choice(list(Stage))
        before = set(model.ready())
        model.stages[task_id] = stage
        assert set(queue.move(task_id, stage)) == set(model.ready()) - before
    elif operation in ("pop", "accept"):
        wanted = (
            {f"t{chance.randrange(25)}" for _ in range(12)} if operation == "accept" else set(model.tasks)
        )
        expected = next((ready for ready in model.ready() if ready in wanted), None)
        assert queue.pop(wanted.__contains__) == expected
        if expected is not None:
            model.stages[expected] = Stage.OTHER
    elif operation == "discard":
        queue.discard(task_id)
        model.tasks.pop(task_id, None)
        model.stages.pop(task_id, None)
    elif operation == "priority" and task_id in model.tasks:
        priority = chance.randrange(5)
        queue.set_priority(task_id, priority)
        model.tasks[task_id] = (priority, *model.tasks[task_id][1:])


def test_a_resource_class_that_is_closed_is_passed_over() -> None:
    """When `accept` gives None, nothing more of its resource class is shown, and the next pop begins anew."""
    queue = ReadyQueue()
    queue.resource_class_of = lambda task_id: task_id[0]
    for order, task_id in enumerate(["x1", "x2", "y1", "x3", "y2"]):
        queue.put(task_id, 0, order, [])
        queue.move(task_id, Stage.PENDING)
    shown = []

    def accept(task_id: str) -> bool | None:
        shown.append(task_id)
        return None if task_id[0] == "x" else task_id == "y2"

    assert queue.pop(accept) == "y2"
    assert shown == ["x1", "y1", "y2"]
    assert pop_all(queue) == ["x1", "x2", "y1", "x3"]


def test_resource_classes_share_one_order() -> None:
    """Without refusals, tasks come by priority and age whatever their resource classes."""
    queue = ReadyQueue()
    queue.resource_class_of = lambda task_id: task_id
    for order, (task_id, priority) in enumerate({"a": 1, "b": 3, "c": 2, "d": 3}.items()):
        queue.put(task_id, priority, order, [])
        queue.move(task_id, Stage.PENDING)
    assert pop_all(queue) == ["b", "d", "c", "a"]


def test_a_refiled_task_is_in_its_new_resource_class_once() -> None:
    """A task that changes its class is found there, and comes out once; an unknown one is ignored."""
    resource_classes = {"a": "x", "b": "x"}
    queue = ReadyQueue()
    queue.resource_class_of = resource_classes.__getitem__
    for order, task_id in enumerate("ab"):
        queue.put(task_id, 0, order, [])
        queue.move(task_id, Stage.PENDING)
    resource_classes["b"] = "y"
    queue.refile("b")
    queue.refile("never heard of")
    assert queue.pop(lambda task_id: None if task_id == "a" else True) == "b"
    assert pop_all(queue) == ["a"]
