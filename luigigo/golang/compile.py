"""How a package is compiled and assembled: flags when planned, argv when run. Pure.

Follows gcToolchain.gc, asm and symabis in cmd/go/internal/work/gc.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Package
from luigigo.golang.releases import Release

_FORWARD_DECLARED = {
    "bytes", "internal/poll", "net", "os", "runtime/metrics", "runtime/pprof", "runtime/trace", "sync",
    "syscall", "time",
}  # fmt: skip
"""Standard packages with functions whose bodies come from elsewhere (gc.go): never `-complete`."""


class Mode(msgspec.Struct, frozen=True):
    """What the build mode and -race add to every command of a build (cmd/go/internal/work/init.go)."""

    codegen: tuple[str, ...]
    """`-shared` for position-independent code."""
    instrument: tuple[str, ...]
    """`-race`."""
    install_suffix: str
    link_mode: str
    """What the linker's -buildmode gets: exe or pie."""


def mode_of(env: GoEnv, buildmode: str, *, race: bool) -> Mode:
    """Work out the mode of a build as buildModeInit and instrumentInit do."""
    default_pie = env.default_is_pie and not (env.goos == "windows" and race)
    pie = buildmode == "pie" or (buildmode == "default" and default_pie)
    codegen = ("-shared",) if pie and env.goos != "windows" else ()
    suffix = ["race"] if race else []
    if codegen and buildmode != "default":
        suffix.append("shared")
    return Mode(codegen, ("-race",) if race else (), "_".join(suffix), "pie" if pie else "exe")


def package_path(package: Package) -> str:
    """What the compiler calls the package: its import path, or `main`."""
    return "main" if package.is_main else package.import_path


def compile_flags(package: Package, env: GoEnv, mode: Mode, gcflags: Sequence[str]) -> tuple[str, ...]:
    """The compiler's flags that decide its output, without paths."""
    flags = ["-p", package_path(package), f"-lang=go{_language(package, env)}"]
    if package.standard:
        flags.append("-std")
    if _is_complete(package):
        flags.append("-complete")
    if mode.install_suffix:
        flags += ["-installsuffix", mode.install_suffix]
    flags += ["-goversion", env.goversion]
    return (*flags, *mode.codegen, *mode.instrument, *gcflags)


def _language(package: Package, env: GoEnv) -> str:
    """The language version: the module's, 1.16 where its go.mod has none, else the toolchain's."""
    local = env.goversion.removeprefix("go")
    version = local
    if package.module is not None:
        wanted = package.module.go_version or "1.16"
        if _release_number(wanted) <= _release_number(local):
            version = wanted
    return ".".join(version.split("rc")[0].split("beta")[0].split("-")[0].split(".")[:2])


def _release_number(version: str) -> tuple[int, ...]:
    numbers = version.split("rc")[0].split("beta")[0].split("-")[0].split(" ")[0].split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def _is_complete(package: Package) -> bool:
    if package.standard and package.import_path in _FORWARD_DECLARED:
        return False
    return not (
        package.cgo_files or package.c_files or package.cxx_files or package.s_files or package.syso_files
    )


def asm_flags(
    package: Package, env: GoEnv, mode: Mode, release: Release, user_flags: Sequence[str]
) -> tuple[str, ...]:
    """The assembler's flags, without paths."""
    flags = ["-p", package_path(package), "-D", f"GOOS_{env.goos}", "-D", f"GOARCH_{env.goarch}"]
    flags += [*mode.codegen, *user_flags]
    if package.standard and release.asm_takes_std:
        flags.append("-std")
    for define in _arch_defines(env):
        flags += ["-D", define]
    return tuple(flags)


def _arch_defines(env: GoEnv) -> list[str]:
    arch = env.goarch
    if arch == "386":
        return [f"GO386_{env.go386}"]
    if arch == "amd64":
        return [f"GOAMD64_{env.goamd64}"]
    if arch in ("mips", "mipsle"):
        return [f"GOMIPS_{env.gomips}"]
    if arch in ("mips64", "mips64le"):
        return [f"GOMIPS64_{env.gomips64}"]
    if arch in ("ppc64", "ppc64le"):
        levels = {"power10": 3, "power9": 2}.get(env.goppc64, 1)
        return ["GOPPC64_power10", "GOPPC64_power9", "GOPPC64_power8"][3 - levels :]
    if arch == "riscv64":
        return [f"GORISCV64_{env.goriscv64}"]
    if arch == "arm":
        levels = 3 if "7" in env.goarm else 2 if "6" in env.goarm else 1
        return ["GOARM_7", "GOARM_6", "GOARM_5"][3 - levels :]
    if arch == "arm64" and ("lse" in env.goarm64.split(",") or not env.goarm64.startswith("v8.0")):
        return ["GOARM64_LSE"]
    return []


class Layout(msgspec.Struct, frozen=True):
    """Where one action runs: the folders and files that its commands name."""

    tool_dir: str
    goroot: str
    source_dir: str
    object_dir: str
    trim_to: str = ""
    moved: tuple[str, str] = ("", "")
    """A folder above the package's, and where the client has it; empty where it is the client's own."""

    @property
    def trimpath(self) -> str:
        """The compiler's -trimpath: the package's folder gets its public name, the work folder none.

        A folder above the package's keeps its name, as under go build: that of the client's machine. The
        first that fits wins (cmd/internal/objabi, ApplyRewrites), so a work folder inside the package's
        comes before it.
        """
        parts = [f"{self.source_dir}=>{self.trim_to}", f"{self.object_dir}=>"]
        if self.object_dir.startswith(f"{self.source_dir}/"):
            parts.reverse()
        if self.moved[0]:
            parts.append("{}=>{}".format(*self.moved))
        return ";".join(parts)

    def source(self, name: str) -> str:
        """An input file by its name in the package."""
        return f"{self.source_dir}/{name}"

    def object(self, name: str) -> str:
        """A file in the work folder."""
        return f"{self.object_dir}/{name}"

    def tool(self, name: str) -> str:
        """One of the toolchain's programs."""
        return f"{self.tool_dir}/{name}"


def compile_argv(
    layout: Layout, flags: Sequence[str], options: Mapping[str, str], files: Sequence[str]
) -> tuple[str, ...]:
    """The compiler's command. `options` are file-valued flags that not every package has."""
    argv = [layout.tool("compile"), "-o", layout.object("_pkg_.x"), "-linkobj", layout.object("_pkg_.a")]
    argv += ["-trimpath", layout.trimpath]
    for flag, value in options.items():
        argv += [f"{flag}={value}"] if flag in ("-c", "-pgoprofile") else [flag, value]
    argv += [*flags, "-nolocalimports", "-importcfg", layout.object("importcfg"), "-pack", *files]
    return tuple(argv)


def asm_argv(
    layout: Layout, flags: Sequence[str], output: str, files: Sequence[str], *, symabis: bool
) -> tuple[str, ...]:
    """The assembler's command: for one file, or for the symbol ABIs of all files."""
    argv = [layout.tool("asm"), *flags[:2], "-trimpath", layout.trimpath, "-I", layout.object_dir + "/"]
    argv += ["-I", f"{layout.goroot}/pkg/include", *flags[2:], *(["-gensymabis"] if symabis else [])]
    return (*argv, "-o", output, *files)


def generic_header_name(name: str, goos: str, goarch: str) -> str | None:
    """The platform-free name that a header such as `defs_linux_amd64.h` is also known by; None if none."""
    stem, dot, extension = name.partition(".")
    for suffix, generic in (
        (f"_{goos}_{goarch}", "_GOOS_GOARCH"),
        (f"_{goarch}", "_GOARCH"),
        (f"_{goos}", "_GOOS"),
    ):
        if stem.endswith(suffix):
            return f"{stem.removesuffix(suffix)}{generic}{dot}{extension}"
    return None


def importcfg(import_map: Sequence[tuple[str, str]], packages: Sequence[tuple[str, str]]) -> str:
    """The compiler's importcfg: renamed imports, then each imported package's export data file."""
    lines = ["# import config"]
    lines += [f"importmap {raw}={final}" for raw, final in import_map]
    lines += [f"packagefile {path}={file}" for path, file in packages]
    return "\n".join(lines) + "\n"


def link_importcfg(packages: Sequence[tuple[str, str]], modinfo: str) -> str:
    """The linker's importcfg: every package's object file, then the build information."""
    lines = [f"packagefile {path}={file}" for path, file in packages]
    return "\n".join([*lines, modinfo]) + "\n"
