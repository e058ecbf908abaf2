"""Assembly that includes files of other folders is built as go build does it, wherever the files travel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reference import RELEASES, Bench, Built, Toolchain

pytestmark = pytest.mark.builds

CODE = "TEXT ·Of(SB), NOSPLIT, $0-8\n\tMOVQ ${number}, AX\n\tMOVQ AX, ret+0(FP)\n\tRET\n"
FILES = {
    "go.mod": "module example.com/including\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/including/deep/er"\n\nfunc main() { println(er.Of()) }\n',
    "deep/er/er.go": "package er\n\n//go:noescape\nfunc Of() uint64\n",
    "deep/er/er_amd64.s": '#include "textflag.h"\n#include "../../shared/code.inc"\n',
    "shared/code.inc": CODE.replace("{number}", "7"),
}


@pytest.fixture(params=["own folder", "bundle"])
def env(request: pytest.FixtureRequest, bench: Bench) -> dict[str, str]:
    """Settings under which sources are read where they lie, or travel through a share."""
    return {} if request.param == "own folder" else {"LUIGIGO_SHARED": str(bench.folder / "share")}


@pytest.fixture
def newest(toolchains: Callable[[str], Toolchain]) -> Toolchain:
    """The newest release, where one stands for all."""
    return toolchains(RELEASES[-1])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A program with code in a file that a package includes from another folder."""
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def go_build_afresh(bench: Bench, toolchain: Toolchain, folder: Path) -> Built:
    """What go build makes of the assembly now: it looks again after an edit of the package's own file."""
    with (folder / "deep" / "er" / "er_amd64.s").open("a") as assembly:
        assembly.write(f"// {folder} {toolchain.release}\n")
    return bench.go_build(toolchain, folder)


def test_code_in_a_file_of_another_folder(
    project: Path, env: dict[str, str], bench: Bench, toolchain: Toolchain
) -> None:
    """go build writes that file's whole path into the program, and so do we, for whoever asks from there."""
    for folder in (project, bench.copy(project)):
        by_luigigo = bench.luigigo_build(toolchain, folder, env=env)
        by_go = go_build_afresh(bench, toolchain, folder)
        assert by_go.exit_code == 0, by_go.text
        assert by_luigigo.digests == by_go.digests


def test_an_edit_of_an_included_file_is_noticed(
    project: Path, env: dict[str, str], bench: Bench, newest: Toolchain
) -> None:
    """Also where the program was up to date, and though go build itself does not see it."""
    before = bench.luigigo_build(newest, project, env=env)
    (project / "shared" / "code.inc").write_text(CODE.replace("{number}", "8"))
    after = bench.luigigo_build(newest, project, env=env)
    assert after.digests != before.digests
    assert after.digests == go_build_afresh(bench, newest, project).digests


def test_an_error_in_an_included_file_is_told_as_by_go_build(
    project: Path, env: dict[str, str], bench: Bench, newest: Toolchain
) -> None:
    """With the file's place in the project, not in a node's folder; the build is started elsewhere."""
    (project / "shared" / "code.inc").write_text(CODE.replace("MOVQ AX", "MOVE AX"))
    by_go = bench.go_build(newest, project)
    by_luigigo = bench.luigigo_build(newest, project, env=env)
    assert (by_go.exit_code, by_luigigo.exit_code) == (1, 1)
    assert by_go.text in re.sub(r"\.\./\S*/project/", "", by_luigigo.text)


def test_a_file_outside_of_the_module_is_read_where_it_lies(
    project: Path, env: dict[str, str], bench: Bench, newest: Toolchain
) -> None:
    """It does not travel to a share; the package is compiled on its own machine."""
    outside = project.with_name("outside.inc")
    secret = f"// known to {project}\n"
    outside.write_text(CODE.replace("{number}", "7") + secret)
    for name in ("../../../outside.inc", str(outside)):
        assembly = f'#include "textflag.h"\n#include "{name}"\n'
        (project / "deep" / "er" / "er_amd64.s").write_text(assembly)
        by_luigigo = bench.luigigo_build(newest, project, env=env)
        by_go = go_build_afresh(bench, newest, project)
        assert by_go.exit_code == 0, by_go.text
        assert by_luigigo.digests == by_go.digests
    share = env.get("LUIGIGO_SHARED")
    contents = [path for path in Path(share, "cas").rglob("*") if path.is_file()] if share else []
    assert bool(contents) == bool(share)
    assert not [path for path in contents if secret.encode() in path.read_bytes()]


def test_names_lead_from_a_linked_folder_as_the_assembler_takes_them(
    project: Path, env: dict[str, str], bench: Bench, newest: Toolchain
) -> None:
    """As they stand from where the link leads; else from where the link is."""

    def assert_same() -> Built:
        by_luigigo = bench.luigigo_build(newest, project, env=env)
        by_go = go_build_afresh(bench, newest, project)
        assert by_go.exit_code == 0, by_go.text
        assert by_luigigo.digests == by_go.digests
        return by_luigigo

    folder = project / "deep" / "er"
    away = project.parent / "far" / "away" / "er"
    away.parent.mkdir(parents=True)
    folder.rename(away)
    folder.symlink_to(away)
    first = assert_same()
    (project / "shared" / "code.inc").write_text(CODE.replace("{number}", "8"))
    second = assert_same()
    nearer = away.parent.parent / "shared" / "code.inc"
    nearer.parent.mkdir()
    nearer.write_text(CODE.replace("{number}", "9"))
    third = assert_same()
    nearer.write_text(CODE.replace("{number}", "10"))
    assert len({str(each.digests) for each in (first, second, third, assert_same())}) == 4
