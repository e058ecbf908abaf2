"""Giant packages under a limit of memory: one after the other, where two at once would be killed."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Lab, wait_until

from luigigo.errors import ExitCode

pytestmark = [pytest.mark.builds, pytest.mark.root]

MB = 1 << 20
LIMIT_BYTES = 420 * MB
"""More than one of the giants takes, less than two: 250 MB each, as go build compiles them."""
FUNCTIONS = 3000


class Group:
    """A control group with a limit of memory, of either version."""

    def __init__(self, folder: Path, limit_name: str) -> None:
        self.folder = folder
        self._limit_name = limit_name

    def limit(self, limit_bytes: int) -> None:
        """Let no more than this be used; swap counts as well, where the kernel tells it apart."""
        (self.folder / self._limit_name).write_text(str(limit_bytes))
        for name in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
            if (self.folder / name).exists():
                (self.folder / name).write_text(str(limit_bytes if "memsw" in name else 0))

    def enter(self) -> None:
        """Move this process into the group; called in a child before it becomes the command."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))


def _unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI must be able to test this: {reason}")
    pytest.skip(reason)


@pytest.fixture
def group() -> Iterator[Group]:
    """A new control group, removed at the end."""
    if os.geteuid() != 0:
        _unavailable("limiting memory needs root")
    v1, v2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    name = f"luigigo-{uuid.uuid4().hex}"
    if (v1 / "memory.limit_in_bytes").exists():
        made = Group(v1 / name, "memory.limit_in_bytes")
    elif "memory" in _text(v2 / "cgroup.subtree_control").split():
        made = Group(v2 / name, "memory.max")
    else:
        _unavailable("there is no control group of memory")
    try:
        made.folder.mkdir()
    except OSError as error:
        _unavailable(f"control groups cannot be made: {error}")
    yield made
    wait_until(lambda: not _text(made.folder / "cgroup.procs").split())
    made.folder.rmdir()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def giant(name: str) -> str:
    """A package whose compile takes a few hundred MB."""
    fields = "; ".join(f"F{number} int" for number in range(12))
    functions = "".join(
        f"func f{n}(p *point, s []string) map[string]int {{\n"
        f'\tm := map[string]int{{"{name}{n}": p.F{n % 12}}}\n'
        f"\tfor i, w := range s {{ m[w] += i*{n} + p.F{(n + 1) % 12} }}\n"
        f"\tdefer func() {{ p.F{n % 12}++ }}()\n\treturn m\n}}\n"
        for n in range(FUNCTIONS)
    )
    table = "".join(f"\tf{n},\n" for n in range(FUNCTIONS))
    return (
        f"package {name}\n\ntype point struct {{ {fields} }}\n\n{functions}\n"
        f"var Table = []func(*point, []string) map[string]int{{\n{table}}}\n"
    )


def test_two_giants_are_compiled_where_two_at_once_are_killed(lab: Lab, group: Group) -> None:
    """`go build -p 2` is killed in the same group in which luigigo finishes, with two slots."""
    main = 'package main\n\nimport (\n\t"example.com/giants/one"\n\t"example.com/giants/two"\n)\n'
    project = lab.write(
        {
            "go.mod": f"module example.com/giants\n\ngo 1.26\n\n// {uuid.uuid4()}\n",
            "main.go": f"{main}\nfunc main() {{ println(len(one.Table), len(two.Table)) }}\n",
            "one/one.go": f"// {uuid.uuid4()}\n" + giant("one"),
            "two/two.go": f"// {uuid.uuid4()}\n" + giant("two"),
        },
        "giants",
    )
    group.limit(LIMIT_BYTES)
    by_go = subprocess.run(
        [lab.go.path, "build", "-p", "2", "-o", str(lab.folder / "by_go"), "."],
        cwd=project,
        env=lab.go.plain_environment(lab.environment),
        capture_output=True,
        text=True,
        preexec_fn=group.enter,
    )
    assert by_go.returncode != 0
    assert "killed" in by_go.stderr
    finished = lab.luigigo("build", project, "-p", "2", "-o", lab.output_of(project), preexec_fn=group.enter)
    assert finished.returncode == ExitCode.OK, finished.stderr
    lab.assert_identical(project, "-p", "1")
