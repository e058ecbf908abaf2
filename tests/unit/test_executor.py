"""What staging an action on a node fetches, and what doing it afterwards looks up. The store is a fake."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from luigigo.errors import SourcesElsewhere
from luigigo.golang.actions import Action, Kind, Sources
from luigigo.golang.keys import content_key
from luigigo.golang.run.executor import ActionExecutor
from luigigo.model import ActionId, ActionKey, ActionRecord, Digest, ImportPath, Output, digest_of


def output(name: str) -> Output:
    return Output(Digest(digest_of(name)), 7)


def action(name: str, *imports: str) -> Action:
    """A compile of a package whose sources are neither on the node nor in the store."""
    return Action(
        ActionId(f"compile {name}"), Kind.COMPILE, ImportPath(name), name, ActionKey(digest_of("key", name)),
        digest_of("own", name), msgspec.UNSET, Sources(f"/project/{name}"),  # type: ignore[arg-type]
        tuple((ImportPath(each), ActionId(f"compile {each}")) for each in imports),
    )  # fmt: skip


def record(key: str, made: Action) -> ActionRecord:
    outputs = {role: output(f"{made.package} {role}") for role in ("export", "object")}
    return ActionRecord(key, made.kind.value, made.package, outputs, 1.0, 1.0, 1, "n2")


class Store:
    """Records by key, and what was asked for."""

    def __init__(self) -> None:
        self.records: dict[str, ActionRecord] = {}
        self.asked: list[str] = []
        self.opened: list[Output] = []

    def read_record(self, key: str, wait_seconds: float = 0.0) -> ActionRecord | None:
        self.asked.append(key)
        return self.records.get(key)

    def write_record(self, written: ActionRecord) -> None:
        self.records[written.key] = written

    def has_content(self, wanted: Output) -> bool:
        return True

    def open_content(self, wanted: Output, wait_seconds: float = 0.0) -> str:
        self.opened.append(wanted)
        return "/cache"


class Node:
    """A node that is to compile `app`, which imports `lib`, and `lib` is done."""

    def __init__(self) -> None:
        self.lib, self.app = action("lib"), action("app", "lib")
        self.store = Store()
        self.store.records[self.lib.key] = record(self.lib.key, self.lib)
        self.outcomes: list[str] = []
        context = SimpleNamespace(
            store=self.store, node="n1", wait_seconds=0.0, has_projects=False, observe=self._observe
        )
        actions = {self.lib.id: self.lib, self.app.id: self.app}
        plan: Any = SimpleNamespace(actions=actions, toolchain=SimpleNamespace(goroot="/go"))
        self.executor = ActionExecutor(plan, context)  # type: ignore[arg-type]
        self.content_key = content_key(self.app.own_digest, [("lib", output("lib export").digest)])

    def _observe(self, event: Any) -> None:
        if hasattr(event, "outcome"):
            self.outcomes.append(event.outcome.value)


@pytest.fixture
def node() -> Node:
    return Node()


def test_what_was_made_from_the_same_inputs_before_is_not_fetched_for(node: Node) -> None:
    """Neither sources nor inputs: the earlier outputs serve, each record is looked up once, and the slot left
    before one is written."""
    node.store.records[node.content_key] = record(node.content_key, node.app)
    node.executor.stage(node.app.id)
    known_when_left: list[set[str]] = []
    done = node.executor.perform(node.app.id, lambda: known_when_left.append(set(node.store.records)))
    assert done.outputs == record("", node.app).outputs
    assert known_when_left == [{node.lib.key, node.content_key}]
    assert node.outcomes == ["cutoff"]
    assert node.store.opened == []
    assert node.store.asked == [node.lib.key, node.content_key]
    assert node.app.key in node.store.records


def test_what_was_not_made_before_needs_its_sources(node: Node) -> None:
    """A node that has none says so before a slot is taken."""
    with pytest.raises(SourcesElsewhere):
        node.executor.stage(node.app.id)


def test_what_was_staged_before_and_done_elsewhere_is_not_done_again(node: Node) -> None:
    """Given back, and given again when another node has done it, it is a hit."""
    node.store.records[node.content_key] = record(node.content_key, node.app)
    node.executor.stage(node.app.id)
    node.store.records[node.app.key] = record(node.app.key, node.app)
    node.executor.stage(node.app.id, probably_done=True)
    node.executor.perform(node.app.id)
    assert node.outcomes == ["hit"]


def test_what_was_done_since_the_build_was_planned_is_a_hit(node: Node) -> None:
    """The record under the content key says that it is this very action's."""
    node.store.records[node.content_key] = record(node.app.key, node.app)
    node.executor.stage(node.app.id)
    node.executor.perform(node.app.id)
    assert node.outcomes == ["hit"]
    assert node.app.key in node.store.records


def test_what_others_say_of_a_dependency_is_not_looked_up(node: Node) -> None:
    """Of an action that another node did in this run, what it made is known without its record."""
    del node.store.records[node.lib.key]
    node.executor.known.learn({node.lib.key: {"export": output("lib export")}})
    node.store.records[node.content_key] = record(node.content_key, node.app)
    node.executor.stage(node.app.id)
    node.executor.perform(node.app.id)
    assert node.outcomes == ["cutoff"]
    assert node.store.asked == [node.content_key]


def test_what_is_fetched_ahead_is_what_the_action_will_read(node: Node) -> None:
    """Of a dependency, the output that it reads; of what the plan does not have, nothing."""
    node.executor.fetch(node.app.id, node.lib.id)
    assert node.store.opened == [output("lib export")]
    node.executor.fetch(node.app.id, ActionId("compile other"))
    node.executor.fetch(ActionId("link app"), node.lib.id)
    assert node.store.opened == [output("lib export")]


def test_a_record_whose_messages_are_for_one_folder_counts_for_none(node: Node) -> None:
    """Earlier versions filed such: the action is done again, and its messages kept for everybody."""
    earlier = msgspec.structs.replace(record(node.content_key, node.app), messages="./x.go:1: warning\n")
    node.store.records[node.content_key] = earlier
    with pytest.raises(SourcesElsewhere):
        node.executor.stage(node.app.id)
