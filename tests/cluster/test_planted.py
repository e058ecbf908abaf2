"""What strangers plant for workers: tasks, plans, records, contents and bundles. None of it runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from intruder import Wire
from support import Lab, link_tree
from targets import Luigid, Worker, luigid

from luigigo.golang.actions import Plan
from luigigo.model import ActionId, ActionRecord, Digest, Output, digest_of

MAIN = "example.com/target"
PROGRAM = {
    "go.mod": f"module {MAIN}\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/target/lib"\n\nfunc main() { println(lib.Name) }\n',
    "lib/lib.go": 'package lib\n\nconst Name = "target"\n',
    "lib/c.go": "package lib\n\n// int one(void) { return 1; }\nimport \"C\"\n\nvar One = C.one()\n",
}  # fmt: skip
LIB = f"compile {MAIN}/lib"
CGO = f"cgo {MAIN}/lib"
LINK = f"link {MAIN}"


class Scene:
    """A luigid, a worker of it, a program that was built there, and a token in the wrong hands."""

    def __init__(self, lab: Lab, daemon: Luigid, shared: Path) -> None:
        self.lab, self.daemon, self.shared = lab, daemon, shared
        self.mark = lab.folder / "mark"
        trap = lab.folder / "trap"
        trap.mkdir()
        for name in ("evil.py", "sitecustomize_evil.py"):
            (trap / name).write_text(f"open({str(self.mark)!r}, 'a').write('imported')\n")
        self.script = trap / "gcc"
        self.script.write_text(f"#!/bin/sh\necho run >> {self.mark}\n")
        self.script.chmod(0o755)
        path = f"{lab.environment['PYTHONPATH']}:{trap}"
        self.worker = Worker(lab, daemon, shared, "n1", PYTHONPATH=path)
        self.worker.wait_ready()
        self.names = iter(range(1000))
        self.project = lab.write(PROGRAM, "target")
        self.build("first")
        self.digest = max((shared / "plans").iterdir(), key=lambda path: path.stat().st_mtime).name
        self.plan = msgspec.msgpack.decode((shared / "plans" / self.digest).read_bytes(), type=Plan)

    def build(self, what: str) -> None:
        """Change the program, and build it with the worker: it is what `go build` makes."""
        with (self.project / "lib" / "lib.go").open("a") as file:
            file.write(f"// {what}\n")
        environment = {
            "LUIGIGO_SHARED": str(self.shared),
            "LUIGIGO_TOKEN_FILE": str(self.lab.folder / "token"),
        }
        host = ("--scheduler-host", "127.0.0.1", "--scheduler-port", self.daemon.port)
        built = self.lab.build(self.project, *host, env=environment)
        nodes = {event.get("node") for event in built.events if event.get("outcome") == "ran"}
        assert nodes <= {"n1"}, nodes
        self.lab.assert_identical(self.project)

    def intrude(self) -> Wire:
        """A client's connection, with the token."""
        wire = self.daemon.wire()
        wire.hello(f"intruder{next(self.names)}")
        return wire

    def offer(self, family: str, params: dict[str, str], **fields: Any) -> str:
        """Have the worker given a task; how it ended, in its words."""
        wire = self.intrude()
        task_id = f"planted{next(self.names)}"
        needs = {"key": digest_of(task_id), "toolchain": self.plan.toolchain.identity}
        call = {"task_id": task_id, "family": family, "params": params, "module": "evil"} | fields
        wire.say({"type": "add", "offers": [{"call": call, "needs": needs}]}, {"type": "run"})
        ended = wire.hear("progress", status="failed")
        wire.hear("over")
        wire.say({"type": "leave"})
        wire.close()
        return str(ended["explanation"])

    def put_plan(self, plan: Plan) -> str:
        """File a plan under its right digest."""
        content = msgspec.msgpack.encode(plan)
        digest = hashlib.sha256(content).hexdigest()
        (self.shared / "plans" / digest).write_bytes(content)
        return digest

    def changed_plan(self, action_id: str, change: Callable[[Any], Any]) -> str:
        """File the program's plan with one action changed and wanted anew, whatever was made before."""
        action = self.plan.actions[ActionId(action_id)]
        new = digest_of(action_id, next(self.names))
        action = msgspec.structs.replace(change(action), key=new, own_digest=new)
        return self.put_plan(
            msgspec.structs.replace(self.plan, actions={**self.plan.actions, action.id: action})
        )

    def require_unharmed(self) -> None:
        """Nothing was run that was planted, and the worker takes work as before."""
        assert not self.mark.exists(), self.mark.read_text()
        assert self.worker.process.poll() is None, self.worker.log.read_text()[-3000:]
        assert self.daemon.nodes() == {"n1": "ready"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, compiled_cache: Path) -> Iterator[Scene]:
    """The scene of all attacks."""
    folder = tmp_path_factory.mktemp("scene")
    lab = Lab(folder, folder / "cache")
    shared = folder / "shared"
    link_tree(compiled_cache / "store", shared)
    try:
        with luigid(lab) as daemon:
            yield Scene(lab, daemon, shared)
    finally:
        lab.stop_all()


@pytest.fixture(autouse=True)
def unharmed(scene: Scene) -> Iterator[None]:
    """Holds after every attack."""
    yield
    scene.require_unharmed()


GOOD = "0" * 64


@pytest.mark.parametrize(
    ("family", "params", "said"),
    [
        ("Evil", {}, "runs no 'Evil'"),
        ("evil.Evil", {"plan": GOOD}, "runs no"),
        ("BuildBinary", {"project": "/"}, "runs no"),
        ("", {}, "runs no"),
        ("CompilePackage", {}, "parameters import_path and plan"),
        ("CompilePackage", {"plan": GOOD, "import_path": "x", "module": "evil"}, "and no others"),
        ("CompilePackage", {"plan": "../../etc/passwd", "import_path": "x"}, "no digest"),
        ("CompilePackage", {"plan": GOOD + "\n", "import_path": "x"}, "no digest"),
        ("CompilePackage", {"plan": GOOD.upper() + "A", "import_path": "x"}, "no digest"),
        ("CompilePackage", {"plan": GOOD, "import_path": "a\0b"}, "no name"),
        ("CompilePackage", {"plan": GOOD, "import_path": "x" * 5000}, "no name"),
    ],
)
def test_a_planted_task_is_refused(scene: Scene, family: str, params: dict[str, str], said: str) -> None:
    """A task that is none of luigigo's actions is refused by name, and its module is not imported."""
    assert said in scene.offer(family, params)


@pytest.mark.parametrize("path", ["../../../etc/passwd", "$(touch x)", "-o", "fmt; touch x", "\n", "é"])
def test_a_name_that_the_plan_does_not_have_is_refused(scene: Scene, path: str) -> None:
    """An action is looked up by its name in the plan, and nowhere else."""
    assert "has no action" in scene.offer("CompilePackage", {"plan": scene.digest, "import_path": path})


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        (b"not of this digest", False),
        (b"", True),
        (b"\xc1garbage", True),
        (msgspec.msgpack.encode({"toolchain": "x"}), True),
        (msgspec.msgpack.encode([1, 2, 3]), True),
        (b"\x91" * 100_000, True),
    ],
)
def test_a_planted_plan_that_is_none_is_refused(scene: Scene, content: bytes, fits: bool) -> None:
    """A file of another digest, garbage, or another structure is refused for good; no node is to blame."""
    digest = hashlib.sha256(content if fits else b"other").hexdigest()
    (scene.shared / "plans" / digest).write_bytes(content)
    said = scene.offer("CompilePackage", {"plan": digest, "import_path": "fmt"})
    assert "refused: plan" in said


def test_a_plan_that_is_no_file_is_refused(scene: Scene) -> None:
    """A pipe in a plan's place keeps nobody waiting, and one that is too large is not read."""
    pipe, huge = (scene.shared / "plans" / digest_of(name) for name in ("pipe", "huge"))
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    for path in (pipe, huge):
        said = scene.offer("CompilePackage", {"plan": path.name, "import_path": "fmt"})
        assert "no plain file" in said or "no plan" in said


def changed(value: Any, **fields: Any) -> Any:
    """A record with fields replaced; `a__b` is field b of field a."""
    for path, new in fields.items():
        name, _, rest = path.partition("__")
        value = msgspec.structs.replace(
            value, **{name: changed(getattr(value, name), **{rest: new}) if rest else new}
        )
    return value


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        (LIB, {"sources__dir": "GOROOT/../../../etc"}),
        (LIB, {"sources__bundle": Output(Digest("/etc"), 1)}),
        (LIB, {"spec__environment": (("LD_PRELOAD", "/tmp/evil.so"),)}),
        (LIB, {"spec__environment": (("PATH", "/tmp"),)}),
        (CGO, {"sources__syso_paths": ("-fplugin=/tmp/evil.so",)}),
        (CGO, {"spec__environment": (("CC", "/tmp/evil"), ("CXX", "g++"))}),
    ],
)
def test_a_plan_that_leads_out_is_refused(scene: Scene, action: str, fields: dict[str, Any]) -> None:
    """A plan of the right digest and structure that no planner makes is refused by name."""
    digest = scene.changed_plan(action, lambda found: changed(found, **fields))
    family = {"compile": "CompilePackage", "cgo": "BuildCgo"}[action.partition(" ")[0]]
    said = scene.offer(family, {"plan": digest, "import_path": f"{MAIN}/lib"})
    assert said.startswith(f"refused: the plan's {action!r} is none of luigigo's")


def leave_at_home(scene: Scene, family: str, params: dict[str, str]) -> None:
    """Offer a task that the worker has to hand back to its client."""
    wire = scene.intrude()
    wire.line.settimeout(5)
    task_id = f"planted{next(scene.names)}"
    needs = {"key": digest_of(task_id), "toolchain": scene.plan.toolchain.identity}
    call = {"task_id": task_id, "family": family, "params": params}
    wire.say({"type": "add", "offers": [{"call": call, "needs": needs}]}, {"type": "run"})
    grants = wire.hear("work")["grants"]
    assert [grant["task_id"] for grant in grants] == [task_id]
    wire.say({"type": "leave"})
    wire.close()


def test_no_program_of_a_plan_runs(scene: Scene) -> None:
    """A plan may name tools, compilers and linkers by their paths: a node runs its own, or nothing."""
    script, library = str(scene.script), f"{MAIN}/lib"
    spec = scene.plan.actions[ActionId(CGO)].spec
    environment = tuple(
        sorted({**dict(spec.environment), "CC": script, "CXX": script}.items())  # type: ignore[union-attr]
    )
    compilers = {"spec__compilers__cc": (script,), "spec__compilers__cxx": (script,)}
    for fields in (
        compilers | {"spec__environment": environment},
        {"spec__c_flags": (f"-B{scene.script.parent}/",)},
        {"spec__c_flags": ("-wrapper", script)},
        {"spec__compilers__environment": (("COMPILER_PATH", str(scene.script.parent)),)},
    ):
        digest = scene.changed_plan(CGO, lambda found, fields=fields: changed(found, **fields))
        leave_at_home(scene, "BuildCgo", {"plan": digest, "import_path": library})
    for flags in (
        ("-linkmode=external", f"-extld={script}"),
        ("-o", str(scene.mark)),
        (f"-cpuprofile={scene.mark}",),
    ):
        digest = scene.changed_plan(LINK, lambda found, flags=flags: changed(found, spec__link_flags=flags))
        leave_at_home(scene, "LinkBinary", {"plan": digest, "import_path": MAIN})
    tools = changed(scene.plan.toolchain, goroot=str(scene.script.parent), tool_dir=str(scene.script.parent))
    shutil.copy(scene.script, scene.script.parent / "compile")
    digest = scene.put_plan(changed(scene.plan, toolchain=tools, project_dir="/elsewhere"))
    scene.build("with a node's own tools")
    assert digest != scene.digest


def test_a_bundle_that_leads_out_is_refused(scene: Scene) -> None:
    """Source bundles with names that climb, or that are no bundles, unpack nothing."""
    header = msgspec.msgpack.encode([(b"../../mark", 4)])
    start = b"luigigo bundle 1\n" + len(header).to_bytes(8, "big") + header
    for content in (start + b"evil", start.replace(b"../../mark", os.fsencode(scene.mark)[-10:]), b"junk"):
        digest = hashlib.sha256(content).hexdigest()
        place = scene.shared / "cas" / digest[:2] / digest
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
        bundle = Output(Digest(digest), len(content))
        plan = scene.changed_plan(LIB, lambda found, bundle=bundle: changed(found, sources__bundle=bundle))
        said = scene.offer("CompilePackage", {"plan": plan, "import_path": f"{MAIN}/lib"})
        assert "bundle" in said
    unpacked = [path for path in (scene.lab.folder / "n1.cache").rglob("*") if "contents" not in path.parts]
    assert unpacked
    assert not [path for path in unpacked if path.is_file() and path.read_bytes() == b"evil"]


def record_place(scene: Scene, action: str) -> Path:
    """The file of an action's record."""
    key = scene.plan.actions[ActionId(action)].key
    return scene.shared / "actions" / key[:2] / key


def filed(record: ActionRecord | dict[str, Any]) -> bytes:
    """A record's file with a proper checksum."""
    body = msgspec.json.encode(record)
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


DAMAGES = ("checksum", "misfiled", "climbing", "kind", "huge", "pipe", "link")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_planted_record_is_an_absent_one(scene: Scene, damage: str) -> None:
    """A record that is broken, of another key, kind or size, or no file: its action runs again, rightly."""
    # Another action each time: what was done moments ago is waited for.
    actions = [each for each in scene.plan.actions if each.startswith("compile internal/")]
    place = record_place(scene, actions[DAMAGES.index(damage)])
    sound = place.read_bytes()
    record = json.loads(sound.partition(b"\n")[2])
    climbing = {role: {"digest": "../" * 20 + "etc", "size_bytes": 1} for role in record["outputs"]}
    place.unlink()
    if damage == "pipe":
        os.mkfifo(place)
    elif damage == "link":
        place.symlink_to("/dev/zero")
    else:
        place.write_bytes({
            "checksum": sound[:-2] + b"!}",
            "misfiled": filed(record | {"key": "0" * 64}),
            "climbing": filed(record | {"outputs": climbing}),
            "kind": filed(record | {"kind": "link", "outputs": {"binary": record["outputs"]["export"]}}),
            "huge": b"x",
        }[damage])  # fmt: skip
        if damage == "huge":
            os.truncate(place, 1 << 40)
    scene.build(f"over a {damage} record")
    assert place.is_file() and place.stat().st_size < 1 << 20


@pytest.mark.parametrize("damage", ["changed", "longer", "pipe", "device"])
def test_planted_content_is_never_used(scene: Scene, damage: str) -> None:
    """Content under a wrong digest, or that is no file, is removed, said and made again."""
    record = json.loads(record_place(scene, "compile runtime/cgo").read_bytes().partition(b"\n")[2])
    digest = record["outputs"]["export"]["digest"]
    place = scene.shared / "cas" / digest[:2] / digest
    sound = place.read_bytes()
    place.unlink()
    (scene.lab.folder / "n1.cache" / "contents" / digest[:2] / digest).unlink(missing_ok=True)
    if damage == "pipe":
        os.mkfifo(place)
    elif damage == "device":
        place.symlink_to("/dev/zero")
    else:
        place.write_bytes(sound[:-1] + b"!" if damage == "changed" else sound + b"!")
    scene.build(f"over {damage} content")
    if damage != "longer":
        assert place.read_bytes() == sound


def test_names_that_shells_would_read_are_names(scene: Scene) -> None:
    """A program in a folder whose name is full of a shell's letters is built by the worker all the same."""
    odd = scene.lab.folder / "a b $(touch mark)'&|*?-x"
    shutil.copytree(scene.project, odd)
    text = 'package lib\n\nimport "embed"\n\n//go:embed text\nvar Text embed.FS\n'
    (odd / "lib" / "embed.go").write_text(text)
    (odd / "lib" / "text").mkdir()
    (odd / "lib" / "text" / "a b$(touch mark)&-x").write_text("x")
    before, scene.project = scene.project, odd
    try:
        scene.build(f"of odd names in {scene.lab.folder}")
    finally:
        scene.project = before
