"""Several builds over one store at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import LUIGI, Lab

pytestmark = pytest.mark.builds


def files(count: int) -> dict[str, str]:
    """A program of `count` packages beside its own."""
    names = [f"part{number:02}" for number in range(count)]
    imports = "".join(f'\t"example.com/many/{name}"\n' for name in names)
    values = ", ".join(f"{name}.Name" for name in names)
    made = {f"{name}/part.go": f'package {name}\n\nvar Name = "{name}"\n' for name in names}
    return made | {
        "go.mod": "module example.com/many\n\ngo 1.26\n",
        "main.go": f"package main\n\nimport (\n{imports})\n\nfunc main() {{ println({values}) }}\n",
    }


COMMANDS = {
    "luigigo": lambda project, output: ("luigigo", "build", project, "-o", output),
    "luigi": lambda project, output: (*LUIGI, "--local-scheduler", "--project", project, "--output", output),
}


@pytest.mark.parametrize("same", [True, False], ids=["one checkout", "two checkouts"])
@pytest.mark.parametrize("commands", [("luigigo", "luigigo"), ("luigi", "luigi"), ("luigigo", "luigi")])
def test_builds_at_the_same_time_all_succeed(lab: Lab, commands: tuple[str, str], same: bool) -> None:
    """None waits for another or refuses to start, even with equal arguments; all make the right binary."""
    projects = [lab.write(files(12), "many")] * 2
    if not same:
        projects[1] = lab.write(files(12), "elsewhere/many")
    output = lab.output_of(projects[0])
    started = [
        lab.start(*COMMANDS[command](project, output if same else f"{output}{number}"))
        for number, (command, project) in enumerate(zip(commands, projects, strict=True))
    ]
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    for number in () if same else (0, 1):
        Path(f"{output}{number}").replace(output)
        lab.assert_identical(projects[number])
    if same:
        lab.assert_identical(projects[0])
    assert lab.verify().returncode == 0
    assert lab.build(projects[0]).actions() == set()
