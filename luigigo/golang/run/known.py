"""What is known of a plan's actions here: their records, what others said that they made, what they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from luigigo.errors import ContentMissing
from luigigo.execution.context import ExecutionContext
from luigigo.golang.actions import Action, Plan, on_node
from luigigo.golang.keys import content_key, role_read, roles_made
from luigigo.model import ActionId, ActionKey, ActionRecord, ContentKey, Output, Said, Told, told


class KnownActions:
    """Looks up the actions of one plan, each once. Safe for threads."""

    def __init__(self, plan: Plan, context: ExecutionContext) -> None:
        self.plan = plan
        self._context = context
        self._records: dict[ActionKey, ActionRecord] = {}
        self._made: dict[ActionKey, Mapping[str, Output]] = {}
        """What others said that actions made."""

    def prune(self) -> dict[ActionId, ActionRecord]:
        """Find which actions are done already, with all their content in place; one look at the store."""
        wanted = {action.key: action.id for action in self.plan.actions.values()}
        found = self._context.store.read_records(wanted)
        done: dict[ActionId, ActionRecord] = {}
        for key, record in found.items():
            if _fits(record, self.plan.actions[wanted[ActionKey(key)]]) and self._is_whole(record):
                self._records[ActionKey(key)] = record
                done[wanted[ActionKey(key)]] = record
        return done

    def record(self, action_id: ActionId, *, is_done: bool = False) -> ActionRecord | None:
        """The record of an action, if it is done and its content is there.

        `is_done`: another node is known to have done it, so its record is worth waiting for, and its content
        will be: whoever opens that waits, and has it made again where it is lost.
        """
        key = self.plan.actions[action_id].key
        record = self._records.get(key)
        if record is None:
            wait_seconds = self._context.wait_seconds if is_done else 0.0
            record = self._context.store.read_record(key, wait_seconds)
            action = self.plan.actions[action_id]
            if record is None or not _fits(record, action) or not (is_done or self._is_whole(record)):
                return None
            self._records[key] = record
        return record

    def messages(self) -> tuple[Told, ...]:
        """What the tools of all actions said, as far as this process has seen their records."""
        done = [action for action in self.plan.actions.values() if action.key in self._records]
        return tuple(each for action in done for each in self.told(action, self._records[action.key].said))

    def known_seconds(self) -> float:
        """What all actions took when they ran, as far as this process has seen their records."""
        keys = {action.key for action in self.plan.actions.values()}
        return sum(record.seconds for key, record in self._records.items() if key in keys)

    def told(self, action: Action, said: Iterable[Said]) -> tuple[Told, ...]:
        """What an action's tools said, wherever they ran, with the folders of this plan's user."""
        return told(said, on_node(action.sources.dir, self.plan.toolchain.goroot))

    def _is_whole(self, record: ActionRecord) -> bool:
        return all(self._context.store.has_content(output) for output in record.outputs.values())

    def learn(self, made: Mapping[str, Mapping[str, Output]]) -> None:
        """Take the word of others for what actions made, by action key and role: no record is read then."""
        self._made.update((ActionKey(key), outputs) for key, outputs in made.items())

    def has_record(self, key: ActionKey) -> bool:
        """Whether a record was seen."""
        return key in self._records

    def forget(self, key: ActionKey) -> None:
        """What was known of an action holds no more: its content is lost."""
        self._records.pop(key, None)
        self._made.pop(key, None)

    def file(self, record: ActionRecord) -> ActionRecord:
        """Put an action's record into the store, and know it."""
        self._context.store.write_record(record)
        self._records[ActionKey(record.key)] = record
        return record

    def read(self, action: Action) -> tuple[dict[str, Output], ContentKey]:
        """What an action reads of its dependencies, which are done, and the key of that."""
        inputs = self.inputs(action)
        return inputs, content_key(
            action.own_digest, [(name, output.digest) for name, output in inputs.items()]
        )

    def earlier(self, action: Action, key: ContentKey) -> ActionRecord | None:
        """The record of an action that read the same, if there is one with all its content."""
        earlier = self._context.store.read_record(key)
        if earlier is not None and not (_fits(earlier, action) and self._is_whole(earlier)):
            return None
        return earlier

    def inputs(self, action: Action) -> dict[str, Output]:
        """What the action reads of its dependencies, by import path, and `cgo` and `profile`."""
        role = role_read(action.kind)
        inputs: dict[str, Output] = {path: self.output(each, role) for path, each in action.imports}
        if action.cgo is not None:
            inputs[" cgo"] = self.output(action.cgo, "bundle")
        if action.profile is not None:
            inputs[" profile"] = self.output(action.profile, "profile")
        return inputs

    def output(self, action_id: ActionId, role: str) -> Output:
        key = self.plan.actions[action_id].key
        heard = self._made.get(key, {}).get(role)
        if heard is not None:
            return heard
        record = self.record(action_id, is_done=True)
        if record is None:
            raise ContentMissing(
                f"{action_id} was done, but its record {key} cannot be read on node "
                f"{self._context.node}; run the build again"
            )
        return record.outputs[role]


def _fits(record: ActionRecord, action: Action) -> bool:
    """Whether a record has what such an action makes: anybody can file one."""
    makes_it = record.kind == action.kind.value and record.outputs.keys() >= set(roles_made(action.kind))
    return makes_it and not record.messages
