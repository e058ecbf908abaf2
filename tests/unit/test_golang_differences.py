"""Why an action has another key than in another plan, complete by construction."""

from __future__ import annotations

import msgspec
import pytest
from test_golang_plan import CHANGES, TOOLCHAIN, World, action, keys_of

from luigigo.golang.actions import (
    Action,
    CgoSpec,
    CompileSpec,
    CToolchain,
    LinkSpec,
    Plan,
    PreprofileSpec,
    SourceFile,
)
from luigigo.golang.differences import Change, Difference, differences
from luigigo.golang.keys import action_key, own_digest
from luigigo.model import digest_of


def _world() -> World:
    world = World()
    world.profiles = {"/p.pgo": SourceFile("p.pgo", digest_of("profile"))}
    return world


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_key_has_a_reason_and_an_unchanged_one_has_none(name: str) -> None:
    """Whatever changes, each action whose key did says why, and what only depends on it names that."""
    world = _world()
    before = world.plan()
    CHANGES[name][0](world)
    after = world.plan()
    for plan, other in ((after, before), (before, after)):
        keys = keys_of(other)
        for action_id, each in plan.actions.items():
            found = differences(action_id, plan, other)
            assert bool(found) == (each.key != keys.get(action_id)), action_id
            if action_id in other.actions and each.own_digest != other.actions[action_id].own_digest:
                assert any(difference.change is not Change.DEPENDENCY for difference in found)
            assert all(difference.text for difference in found)


@pytest.mark.parametrize(
    "record", [CompileSpec, CgoSpec, LinkSpec, PreprofileSpec, CToolchain], ids=lambda record: record.__name__
)
def test_every_field_of_a_spec_is_named(record: type[msgspec.Struct]) -> None:
    """Another value of any field is a difference that names the field, the file, flag or variable in it."""
    specs = {type(each.spec): each for each in World().plan().actions.values()}
    like = next(iter(specs.values()))
    profile = PreprofileSpec(SourceFile("profile", digest_of("profile")))
    specs[PreprofileSpec] = msgspec.structs.replace(
        like, spec=profile, own_digest=own_digest(profile, TOOLCHAIN)
    )
    whole = specs[CgoSpec if record is CToolchain else record]
    for field in record.__struct_fields__:
        part = whole.spec.compilers if record is CToolchain else whole.spec
        changed = msgspec.structs.replace(part, **{field: _another(getattr(part, field), field)})
        spec = msgspec.structs.replace(whole.spec, compilers=changed) if record is CToolchain else changed
        found = _differences_of(whole, spec)
        assert found, field
        names = " ".join(f"{each.name} {each.where}" for each in found)
        assert field in names or field == "untold", (field, found)
        assert Change.ASKED not in {each.change for each in found}


def _another(value: object, field: str) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, SourceFile):
        return SourceFile("other", digest_of("other"))
    if isinstance(value, CToolchain):
        return msgspec.structs.replace(value, cc=("clang",))
    if isinstance(value, tuple):
        if (value and isinstance(value[0], tuple)) or field in ("environment", "import_map"):
            return (*value, ("NAME", "value"))
        is_of_files = field.endswith("files") or field in ("units", "assembled", "libraries", "included")
        return (*value, SourceFile("more", digest_of("more")) if is_of_files else "-more")
    return "other"


def _differences_of(before: Action, spec: object) -> tuple[Difference, ...]:
    own = own_digest(spec, TOOLCHAIN)  # type: ignore[arg-type]
    after = msgspec.structs.replace(
        before, spec=spec, own_digest=own, key=action_key(own, (), {}), imports=(), cgo=None, profile=None
    )
    old = msgspec.structs.replace(before, imports=(), cgo=None, profile=None)
    plans = [Plan(TOOLCHAIN, "/p", {each.id: each}, ()) for each in (after, old)]
    return differences(before.id, *plans)


def test_files_flags_and_variables_are_told_by_name() -> None:
    """A file's digests, a flag that came or went, and a variable's old and new value."""
    world = World()
    before = world.plan()
    world.contents["example.com/app/lib", "lib.go"] = "other"
    world.request = msgspec.structs.replace(world.request, gcflags=("-N",))
    world.env = msgspec.structs.replace(world.env, goamd64="v3")
    after = world.plan()
    found = differences("compile example.com/app/lib", after, before)  # type: ignore[arg-type]
    texts = [each.text for each in found]
    assert any(text.startswith("file lib.go: ") and " → " in text for text in texts)
    assert "variable GOAMD64: v1 → v3" in texts
    main = differences("compile example.com/app", after, before)  # type: ignore[arg-type]
    assert "flag -N was added" in [each.text for each in main]


def test_what_is_built_again_on_request_says_so() -> None:
    """Under -a no input differs, and the reason is that everything was to be built again."""
    world = World()
    before = world.plan()
    world.request = msgspec.structs.replace(world.request, rebuild=True)
    after = world.plan()
    lib = action(after, "compile runtime")
    assert {each.change for each in differences(lib.id, after, before)} == {Change.ASKED}
    # And the build after it, whose keys are the ordinary ones again.
    assert {each.change for each in differences(lib.id, before, after)} == {Change.ASKED}


def test_an_action_that_was_not_there_is_new() -> None:
    """It says so, and what imports it names it as a dependency that was added."""
    world = World()
    after = world.plan()
    world.packages = [each for each in world.packages if each.import_path != "example.com/app/c"]
    world.change("example.com/app", imports=("example.com/app/lib",))
    before = world.plan()
    assert [each.change for each in differences("compile example.com/app/c", after, before)] == [Change.NEW]  # type: ignore[arg-type]
    texts = [each.text for each in differences("compile example.com/app", after, before)]  # type: ignore[arg-type]
    assert "dependency compile example.com/app/c was added" in texts
