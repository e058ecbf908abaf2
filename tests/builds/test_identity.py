"""Programs built by luigigo are, byte for byte, those that the go command builds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reference import PROGRAMS, RELEASES, Bench, Built, Toolchain, Variant

pytestmark = pytest.mark.builds

_PROXY = os.environ.get("GOPROXY") or "https://proxy.golang.org"

REFUSED = {
    "cgo asan": "-asan",
    "cgo plugin": "-buildmode=plugin",
    "cgo_export c_archive": "-buildmode=c-archive",
    "cgo_export c_shared": "-buildmode=c-shared",
    "generics cover": "-cover",
    "generics fips140": "GOFIPS140=v1.0.0",
    "overlay overlay": "-overlay",
}
"""Variants that luigigo does not build, and how it calls what it refuses."""

LEFT_OUT = {
    # Each compiles the standard library once more, for net/http: other programs show the same.
    "hello pie", "hello darwin_arm64", "hello windows_amd64", "hello linux_arm64", "hello cgo_off",
    "hello stripped",
    # The same features as another variant, in the same configuration.
    "assembly darwin_arm64", "embed darwin_arm64", "embed windows_amd64", "embed linux_arm64",
    "tags darwin_arm64", "tags linux_arm64", "generics darwin_arm64", "generics windows_amd64",
    "generics linux_arm64", "syso windows_amd64", "syso linux_arm64", "cgo unoptimized", "cgo stripped",
    "pgo pgo_auto", "several two", "several pgo_off", "ldx x_unexported", "overlay base", "pgo pgo_race",
    "assembly race", "assembly pie", "syso pie", "godebug pie", "several stripped", "tags windows_amd64",
    "cgo_cxx race", "cgo_cxx pie",
}  # fmt: skip
"""Variants whose feature another one covers."""

OF_BOTH = {
    "assembly base", "cgo base", "cgo_static base", "embed base", "generics base", "godebug base", "ldx base",
}  # fmt: skip
"""Variants of which the releases make different things; of others one release stands for both."""


def _variants() -> Iterator[Variant]:
    with (PROGRAMS / "flags.json").open(encoding="utf-8") as file:
        for program, builds in json.load(file).items():
            for build in builds:
                yield Variant(
                    program,
                    build["name"],
                    build["package"],
                    tuple(build["flags"]),
                    build["env"],
                    build.get("dir", "."),
                    tuple(build["releases"]),
                )


def _id(variant: Variant) -> str:
    return f"{Path(variant.program).name} {variant.name}"


VARIANTS = {_id(variant): variant for variant in _variants()}


def _releases(name: str, variant: Variant, position: int) -> tuple[str, ...]:
    """With which releases a variant is compared: mostly with one or the other, in turn."""
    return variant.releases if name in OF_BOTH else (variant.releases[position % len(variant.releases)],)


COMPARED = [
    pytest.param(variant, release, id=f"{name.replace(' ', '-')}-go{release}")
    for position, (name, variant) in enumerate(VARIANTS.items())
    if name not in REFUSED and name not in LEFT_OUT
    for release in _releases(name, variant, position)
]


def source_of(variant: Variant) -> Path:
    """The folder of a variant's program."""
    return (PROGRAMS / variant.program).resolve()


def assert_same(by_go: Built, by_luigigo: Built) -> None:
    """Both built the same files with the same bytes."""
    assert by_go.exit_code == 0, by_go.text
    assert by_luigigo.exit_code == 0, by_luigigo.text
    assert by_go.digests
    assert by_luigigo.digests == by_go.digests


@pytest.mark.parametrize(("variant", "release"), COMPARED)
def test_program_is_what_go_build_makes(
    variant: Variant, release: str, bench: Bench, toolchains: Callable[[str], Toolchain]
) -> None:
    """Every program and set of flags gives the bytes of go build, from another folder."""
    assert_same(*bench.build_both(toolchains(release), variant, source_of(variant)))


@pytest.mark.parametrize("name", REFUSED)
def test_unsupported_variant_is_refused_by_name(name: str, bench: Bench, toolchain: Toolchain) -> None:
    """What luigigo does not build it refuses by its name, with exit code 2, before it compiles anything."""
    variant = VARIANTS[name]
    cache = bench.folder / f"refused-{name.replace(' ', '-')}-{toolchain.release}"
    built = bench.luigigo_build(
        toolchain,
        source_of(variant) / variant.dir,
        (variant.package,),
        variant.flags,
        {**variant.env, "LUIGIGO_CACHE": str(cache)},
    )
    assert built.exit_code == 2, built.text
    assert REFUSED[name] in built.text
    assert "not support" in built.text
    assert "Traceback" not in built.text
    assert not built.digests
    assert not [path for path in cache.rglob("*") if path.is_file() and "records" in path.parts]


@pytest.mark.parametrize("name", ["embed base", "cgo base", "assembly base", "cgo_static base"])
def test_folder_with_spaces_and_unicode(name: str, bench: Bench, toolchain: Toolchain) -> None:
    """The name of the project's folder does not matter, whatever is in it."""
    variant = VARIANTS[name]
    if name == "cgo_static base":
        # Its flags name the folder, and the go command refuses such flags with blanks in them.
        assert_same(*bench.build_both(toolchain, variant, source_of(variant), "grün-ß"))
    else:
        assert_same(*bench.build_both(toolchain, variant, source_of(variant), "zwei Wörter 世界"))


def test_modfile_and_tags_and_several_flags(bench: Bench, toolchain: Toolchain) -> None:
    """-modfile, -mod, -tags with blanks, -asmflags and repeated -gcflags are those of go build."""
    source = PROGRAMS / "tags"
    flags = ("-modfile=other.mod", "-mod=mod", "-tags=fancy extra", "-asmflags=",
             "-gcflags=example.com/...=-d=panic", "-gcflags=-N -l", "-ldflags=-s")  # fmt: skip
    places = [bench.copy(source), bench.copy(source)]
    for place in places:
        shutil.copy(place / "go.mod", place / "other.mod")
    assert_same(
        bench.go_build(toolchain, places[0], flags=flags),
        bench.luigigo_build(toolchain, places[1], flags=flags),
    )


def test_flags_from_goflags(bench: Bench, toolchain: Toolchain) -> None:
    """GOFLAGS counts as it does for the go command."""
    source = PROGRAMS / "tags"
    env = {"GOFLAGS": "-tags=fancy '-gcflags=-N -l' -mod=readonly -p=2"}
    assert_same(
        bench.go_build(toolchain, bench.copy(source), env=env),
        bench.luigigo_build(toolchain, bench.copy(source), env=env),
    )


def test_main_file_from_another_folder(bench: Bench, toolchain: Toolchain) -> None:
    """A main file below the project is a package of its own, with and without files beside it."""
    source = PROGRAMS / "mainfile"
    places = [bench.copy(source), bench.copy(source)]
    assert_same(
        bench.go_build(toolchain, places[0], ("./tool_a.go",)),
        bench.luigigo_build(toolchain, places[1], ("./tool_a.go",)),
    )


def test_two_packages_named_one_by_one(bench: Bench, toolchain: Toolchain) -> None:
    """Two mains and a library named together give the two programs."""
    source = PROGRAMS / "several"
    packages = ("./cmd/one", "./cmd/three")
    assert_same(
        bench.go_build(toolchain, bench.copy(source), packages, ("-pgo=off",), several=True),
        bench.luigigo_build(toolchain, bench.copy(source), packages, ("-pgo=off",), several=True),
    )


def _git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main")
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    env |= dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2024-05-06T07:08:09Z")
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=env, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("state", ["clean", "modified", "tagged"])
def test_stamped_build(state: str, bench: Bench, toolchain: Toolchain) -> None:
    """--buildvcs=true stamps the commit, its time, and whether files were modified."""
    project = bench.copy(PROGRAMS / "ldx")
    _git(project, "init")
    _git(project, "add", ".")
    _git(project, "commit", "-m", "First")
    if state == "tagged":
        _git(project, "tag", "v1.2.3")
    if state == "modified":
        (project / "new.txt").write_text("new")
    env = {"GIT_CONFIG_GLOBAL": os.devnull}
    by_go = bench.go_build(toolchain, project, env=env, buildvcs="true")
    assert_same(by_go, bench.luigigo_build(toolchain, project, flags=["--buildvcs=true"], env=env))
    unstamped = bench.go_build(toolchain, project, env=env)
    assert by_go.digests != unstamped.digests


def assert_installs_alike(bench: Bench, toolchain: Toolchain, module: str, proxy: str, modules: Path) -> None:
    """luigigo makes of a module/path@version what go install makes of it."""
    env = {"GOPROXY": proxy, "GONOSUMDB": "*", "GOFLAGS": "-modcacherw", "GOMODCACHE": str(modules)}
    bin_folder = bench.folder / f"bin-{module.partition('@')[0].replace('/', '-')}-{toolchain.release}"
    bin_folder.mkdir()
    arguments = ["install", "-trimpath", "-buildvcs=false", "-ldflags=-buildid=", module]
    by_go = bench.go(toolchain, bench.home, arguments, {**env, "GOBIN": str(bin_folder)}, bin_folder)
    if "dial tcp" in by_go.text and not os.environ.get("CI"):
        pytest.skip(f"{proxy} cannot be reached")
    assert by_go.exit_code == 0, by_go.text
    by_luigigo = bench.luigigo_build(toolchain, module, env=env)
    assert by_luigigo.exit_code == 0, by_luigigo.text
    assert list(by_luigigo.digests.values()) == list(by_go.digests.values())


@pytest.mark.skipif(_PROXY == "off", reason="GOPROXY=off: needs a module proxy")
def test_module_of_the_proxy(bench: Bench, toolchain: Toolchain, tmp_path: Path) -> None:
    """A real module by its version."""
    module = "golang.org/x/example/hello@v0.0.0-20240925201653-1a5e218e5455"
    assert_installs_alike(bench, toolchain, module, _PROXY, tmp_path / "modules")


def publish(proxy: Path, module: str, files: dict[str, str]) -> None:
    """Put v1.0.0 of a module into a folder that serves as a proxy."""
    folder = proxy / module / "@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text("v1.0.0\n")
    (folder / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (folder / "v1.0.0.mod").write_text(files["go.mod"])
    with zipfile.ZipFile(folder / "v1.0.0.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{module}@v1.0.0/{name}", text)


@pytest.fixture
def proxy(tmp_path: Path) -> str:
    """The address of a proxy with two programs and a library; one program's go.mod has no go line."""
    main = 'package main\n\nimport "example.org/lib"\n\nfunc main() { println(lib.Name) }\n'
    require = "require example.org/lib v1.0.0\n"
    publish(tmp_path, "example.org/old", {"go.mod": f"module example.org/old\n\n{require}", "main.go": main})
    publish(
        tmp_path,
        "example.org/recent",
        {"go.mod": f"module example.org/recent\n\ngo 1.22\n\n{require}", "main.go": main},
    )
    library = {"go.mod": "module example.org/lib\n", "lib.go": 'package lib\n\nconst Name = "lib"\n'}
    publish(tmp_path, "example.org/lib", library)
    return tmp_path.as_uri()


@pytest.mark.parametrize("module", ["example.org/old@v1.0.0", "example.org/recent@latest"])
def test_module_with_and_without_a_go_line(
    module: str, proxy: str, bench: Bench, toolchain: Toolchain, tmp_path: Path
) -> None:
    """The defaults of GODEBUG are those of the module's go version, or of 1.20."""
    assert_installs_alike(bench, toolchain, module, proxy, tmp_path / "modules")


def test_module_with_replacements_is_refused(bench: Bench, toolchain: Toolchain, tmp_path: Path) -> None:
    """As by go install: they would count only if it were the main module."""
    go_mod = "module example.org/odd\n\ngo 1.22\n\nreplace example.org/lib => ./lib\n"
    publish(tmp_path, "example.org/odd", {"go.mod": go_mod, "main.go": "package main\n\nfunc main() {}\n"})
    env = {"GOPROXY": tmp_path.as_uri(), "GONOSUMDB": "*", "GOFLAGS": "-modcacherw"}
    env["GOMODCACHE"] = str(tmp_path / "modules")
    module = "example.org/odd@v1.0.0"
    installed = tmp_path / "installed"
    installed.mkdir()
    by_go = bench.go(toolchain, bench.home, ["install", module], env, installed)
    by_luigigo = bench.luigigo_build(toolchain, module, env=env)
    assert by_go.exit_code != 0
    assert by_luigigo.exit_code == 5
    assert "replace" in by_luigigo.text


def test_module_replaced_by_a_version_of_another(
    proxy: str, bench: Bench, toolchain: Toolchain, tmp_path: Path
) -> None:
    """The build information has the replacement's version and sum."""
    env = {"GOPROXY": proxy, "GONOSUMDB": "*", "GOFLAGS": "-modcacherw -mod=mod"}
    env["GOMODCACHE"] = str(tmp_path / "modules")
    project = tmp_path / "project"
    project.mkdir()
    (project / "go.mod").write_text(
        "module example.com/p\n\ngo 1.26\n\nrequire example.org/missing v1.5.0\n\n"
        "replace example.org/missing => example.org/lib v1.0.0\n"
    )
    main = 'package main\n\nimport "example.org/missing"\n\nfunc main() { println(lib.Name) }\n'
    (project / "main.go").write_text(main)
    by_go = bench.go_build(toolchain, bench.copy(project), env=env)
    assert_same(by_go, bench.luigigo_build(toolchain, bench.copy(project), env=env))


def test_program_of_the_toolchain(bench: Bench, toolchain: Toolchain) -> None:
    """One that does not read its build ID is the go command's; one that does is refused by name."""
    project = toolchain.goroot / "src" / "cmd"
    assert_same(
        bench.go_build(toolchain, project, ("cmd/addr2line",)),
        bench.luigigo_build(toolchain, project, ("cmd/addr2line",)),
    )
    refused = bench.luigigo_build(toolchain, project, ("cmd/preprofile",))
    assert refused.exit_code == 2, refused.text
    assert "cmd/preprofile puts the go command's own build ID into the program" in refused.text


assert set(RELEASES) == {release for variant in VARIANTS.values() for release in variant.releases}
