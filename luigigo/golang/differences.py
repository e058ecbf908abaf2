"""Why an action has another key than in another plan: every input that differs, by name. Pure.

Complete by construction: a key is the digest of the tools, the spec and the keys of what the action waits for
(`golang.keys`), and these are compared field by field, whatever fields there are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import msgspec

from luigigo.golang.actions import Action, Plan, SourceFile
from luigigo.golang.keys import own_digest, tools_of
from luigigo.model import ActionId


class Change(str, Enum):
    """What sort of input differs."""

    FILE = "file"
    FLAG = "flag"
    VARIABLE = "variable"
    TOOL = "tool"
    SETTING = "setting"
    """Any other field of a spec."""
    DEPENDENCY = "dependency"
    NEW = "new"
    """There is no such action in the other plan."""
    ASKED = "asked"
    """The build was told to do everything again, or its keys have another form."""


class Difference(msgspec.Struct, frozen=True, order=True):
    """One input of an action that differs between two plans."""

    change: Change
    name: str
    """Of the file, variable, tool, dependency; the flag itself; of a setting, its field."""
    old: str = ""
    """What it was, "" where it was not there: of a file or tool the first digits of its digest."""
    new: str = ""
    where: str = ""
    """Of a file, flag or variable, the field of the spec that it stands in."""

    @property
    def text(self) -> str:
        """It in words."""
        if self.change is Change.NEW:
            return "it is new: the other build had no such action"
        if self.change is Change.ASKED:
            return "everything was to be built again (-a), or another luigigo reckoned the keys"
        what = f"{_WORDS[self.change]}{self.name}"
        if self.change is Change.DEPENDENCY and self.old and self.new:
            return what
        if not self.old:
            return f"{what} was added" + (f": {self.new}" if self.change is Change.VARIABLE else "")
        if not self.new:
            return f"{what} was removed" + (f": {self.old}" if self.change is Change.VARIABLE else "")
        return f"{what}: {self.old} → {self.new}"


_WORDS = {
    Change.FILE: "file ",
    Change.FLAG: "flag ",
    Change.VARIABLE: "variable ",
    Change.TOOL: "tool ",
    Change.SETTING: "",
    Change.DEPENDENCY: "dependency ",
}
_DIGITS = 12
_DIGEST = re.compile("[0-9a-f]{64}")
ORDER = "the order of what it waits for"
_FLAGS_OF_PAIRS = ("import_map",)
_UNTOLD = "no tool tells all that it reads, so it runs in every build"


def differences(action_id: ActionId, plan: Plan, other: Plan) -> tuple[Difference, ...]:
    """Every input of an action that differs from that in another plan; empty where the keys are equal."""
    action, before = plan.actions[action_id], other.actions.get(action_id)
    if before is None:
        return (Difference(Change.NEW, action_id),)
    if action.key == before.key:
        return ()
    found = list(_own(action, plan, before, other)) if action.own_digest != before.own_digest else []
    found += _dependencies(action, plan, before, other)
    return tuple(found)


def _own(action: Action, plan: Plan, before: Action, other: Plan) -> Iterator[Difference]:
    old_tools, new_tools = tools_of(before.spec, other.toolchain), tools_of(action.spec, plan.toolchain)
    found = False
    for name in sorted({**old_tools, **new_tools}):
        old, new = old_tools.get(name, ""), new_tools.get(name, "")
        if old != new:
            found = True
            yield Difference(
                Change.TOOL,
                name,
                f"{other.toolchain.version} {old[:_DIGITS]}".strip() if old else "",
                f"{plan.toolchain.version} {new[:_DIGITS]}".strip() if new else "",
            )
    for each in _structs(before.spec, action.spec, ""):
        found = True
        yield each
    if not found or _has_nonce(action, plan) or _has_nonce(before, other):
        yield Difference(Change.ASKED, "everything")


def _has_nonce(action: Action, plan: Plan) -> bool:
    """Whether more than tools and spec entered the action's own part of its key."""
    return own_digest(action.spec, plan.toolchain) != action.own_digest


def _structs(old: Any, new: Any, prefix: str) -> Iterator[Difference]:
    """What differs between two records, by field."""
    if type(old) is not type(new):
        yield Difference(Change.SETTING, prefix or "kind", _short(old), _short(new))
        return
    for field in new.__struct_fields__:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield from _values(before, after, f"{prefix}{field}")


def _values(old: Any, new: Any, name: str) -> Iterator[Difference]:
    """What differs between two values of one field; at least one difference for values that do."""
    if name == "untold":
        yield Difference(Change.SETTING, _UNTOLD, _short(old), _short(new))
    elif name == "modinfo":
        yield from _modinfo(old, new)
    elif _are(old, new, SourceFile):
        yield from _files(old, new, name)
    elif isinstance(new, SourceFile) and isinstance(old, SourceFile):
        yield from _files((old,), (new,), name)
    elif isinstance(new, msgspec.Struct):
        yield from _structs(old, new, f"{name}.")
    elif _are(old, new, tuple) and name not in _FLAGS_OF_PAIRS:
        yield from _pairs(dict(old), dict(new), name) if _is_map(old, new) else iter([_whole(old, new, name)])
    elif _are(old, new, str):
        yield from _words(old, new, name)
    else:
        yield _whole(old, new, name)


def _are(old: Any, new: Any, kind: type) -> bool:
    """Whether two values are tuples of this kind alone, and not both empty."""
    both = (*old, *new) if isinstance(old, tuple) and isinstance(new, tuple) else ()
    return bool(both) and all(isinstance(each, kind) for each in both)


def _is_map(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether pairs say no name twice, and differ in more than their order."""
    pairs = all(len(each) == 2 and isinstance(each[0], str) for each in (*old, *new))
    return pairs and all(len(dict(part)) == len(part) for part in (old, new)) and dict(old) != dict(new)


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Difference]:
    for name in sorted({**old, **new}):
        if old.get(name) != new.get(name):
            before = _shown_value(old[name]) if name in old else ""
            after = _shown_value(new[name]) if name in new else ""
            yield Difference(Change.VARIABLE, name, before, after, where)


def _shown_value(value: Any) -> str:
    """A value, so that an empty one can be told from none."""
    return str(value) or '""'


def _files(old: tuple[SourceFile, ...], new: tuple[SourceFile, ...], where: str) -> Iterator[Difference]:
    before = {file.name: file.digest for file in old}
    after = {file.name: file.digest for file in new}
    if before == after or len(before) != len(old) or len(after) != len(new):
        # The same files in another order, or one twice.
        yield Difference(Change.SETTING, f"order of {where}", _short(old), _short(new))
        return
    for name in sorted({**before, **after}):
        if before.get(name) != after.get(name):
            digests = (before.get(name, "")[:_DIGITS], after.get(name, "")[:_DIGITS])
            yield Difference(Change.FILE, name, *digests, where)


def _words(old: tuple[str, ...], new: tuple[str, ...], where: str) -> Iterator[Difference]:
    """Flags that came or went; their order counts."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind != "equal":
            before, after = " ".join(old[old_from:old_to]), " ".join(new[new_from:new_to])
            yield Difference(
                Change.FLAG, f"in {where}" if before and after else before or after, before, after, where
            )


def _modinfo(old: str, new: str) -> Iterator[Difference]:
    """The lines of a program's module information that differ: a Go string in quotes."""
    for each in _words(tuple(old.split("\\n")), tuple(new.split("\\n")), "modinfo"):
        name = f"modinfo {each.name}" if each.old == "" or each.new == "" else "modinfo"
        name, before, after = (text.replace("\\t", " ") for text in (name, each.old, each.new))
        yield Difference(Change.SETTING, name, before, after, "modinfo")


def _whole(old: Any, new: Any, name: str) -> Difference:
    return Difference(Change.SETTING, name, _shown(old), _shown(new), name)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value[:_DIGITS]
    return _shown_value(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _dependencies(action: Action, plan: Plan, before: Action, other: Plan) -> Iterator[Difference]:
    old = {each: other.actions[each].key for each in before.dependencies}
    new = {each: plan.actions[each].key for each in action.dependencies}
    if old == new:
        if before.dependencies != action.dependencies:
            yield Difference(Change.SETTING, ORDER, *map(_short, (before.dependencies, action.dependencies)))
        return
    for name in sorted({**old, **new}):
        if old.get(name) != new.get(name):
            digests = (old.get(name, "")[:_DIGITS], new.get(name, "")[:_DIGITS])
            yield Difference(Change.DEPENDENCY, name, *digests)
