"""How the C part of a package is built: flags when planned, argv when run. Pure.

Follows runCgo, processCgoOutputs, ccompile and dynimport in cmd/go/internal/work/exec.go.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from luigigo.golang import quoted
from luigigo.golang.actions import CgoSpec, CToolchain
from luigigo.golang.compile import Layout
from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Package
from luigigo.golang.releases import Release

SOURCE_TOKEN = "/_luigigo_source_"
"""Stands for the package's folder in generated Go files, so that checkouts share them."""

PROBED_FLAGS = (
    "-fno-caret-diagnostics",
    "-Qunused-arguments",
    "-Wl,--no-gc-sections",
    "-fdebug-prefix-map=a=b",
    "-ffile-prefix-map=a=b",
    "-gno-record-gcc-switches",
    "-frandom-seed=1",
)
"""What go build asks each C compiler whether it takes (gccSupportsFlag)."""

_RANDOM_SEED = "-frandom-seed=luigigo"


def common_flags(env: GoEnv, release: Release, supported: frozenset[str]) -> tuple[str, ...]:
    """What every C command of a build gets (compilerCmd), besides folders and prefix maps."""
    flags = [] if env.goos == "windows" else ["-fPIC"]
    flags += arch_flags(env, release)
    flags.append(release.windows_c_threads_flag if env.goos == "windows" else "-pthread")
    flags += [flag for flag in PROBED_FLAGS[:3] if flag in supported]
    flags.append("-fmessage-length=0")
    if "-gno-record-gcc-switches" in supported:
        flags.append("-gno-record-gcc-switches")
    if env.goos == "darwin":
        flags.append("-fno-common")
    return tuple(flags)


def arch_flags(env: GoEnv, release: Release) -> list[str]:
    """What tells the C compiler the target's architecture (gccArchArgs)."""
    arch, darwin = env.goarch, env.goos == "darwin"
    if arch == "386":
        return ["-m32"]
    if arch == "amd64":
        return ["-arch", "x86_64", "-m64"] if darwin else ["-m64"]
    if arch == "arm64":
        return ["-arch", "arm64"] if darwin else []
    if arch == "arm":
        return ["-marm"]
    if arch == "s390x":
        return ["-m64", "-march=z13"]
    if arch in ("mips64", "mips64le"):
        return ["-mabi=64", *_float_flags(env.gomips64)]
    if arch in ("mips", "mipsle"):
        hard = ["-mfp32", "-mno-odd-spreg"] if env.gomips == "hardfloat" else []
        return ["-mabi=32", "-march=mips32", *_float_flags(env.gomips), *hard]
    if arch == "loong64":
        return list(release.loong64_c_flags)
    return []


def _float_flags(level: str) -> list[str]:
    return {"hardfloat": ["-mhard-float"], "softfloat": ["-msoft-float"]}.get(level, [])


def prefix_map_flag(supported: frozenset[str]) -> str:
    """The flag that renames folders in objects, or "" where the compiler has none."""
    if "-fdebug-prefix-map=a=b" not in supported:
        return ""
    return "-ffile-prefix-map" if "-ffile-prefix-map=a=b" in supported else "-fdebug-prefix-map"


def root_mapping(package: Package, goos: str) -> tuple[str, str]:
    """The folder whose name is hidden in objects, and what it is called there (ccompile)."""
    module = package.module
    if module is None:
        if not package.root:
            folder, name = package.dir, package.import_path
        else:
            folder, name = package.root, "GOROOT" if package.goroot else "GOPATH"
    elif not module.dir:
        folder, name = package.dir.removesuffix("/" + package.import_path), "vendor"
    else:
        folder, name = module.dir, module.path + (f"@{module.version}" if module.version else "")
    return folder, "\\\\_\\_\\" + name.replace("/", "\\") if goos == "windows" else f"/_/{name}"


def cgo_tool_flags(package: Package) -> tuple[str, ...]:
    """What the cgo tool is told of packages that its output may not import."""
    if not package.standard:
        return ()
    path = package.import_path
    flags = ["-import_runtime_cgo=false"] if path == "runtime/cgo" else []
    if path in ("runtime/race", "runtime/msan", "runtime/cgo", "runtime/asan"):
        flags.append("-import_syscall=false")
    return tuple(flags)


def c_assembly_files(package: Package) -> tuple[str, ...]:
    """The assembly files that go to the C compiler: all of a cgo package, but for runtime/cgo."""
    if package.standard and package.import_path == "runtime/cgo":
        return tuple(name for name in package.s_files if name.startswith("gcc_"))
    return package.s_files


def go_assembly_files(package: Package) -> tuple[str, ...]:
    """The assembly files that go to Go's assembler."""
    if not package.uses_cgo:
        return package.s_files
    return tuple(name for name in package.s_files if name not in c_assembly_files(package))


def cgo_argv(spec: CgoSpec, layout: Layout) -> tuple[str, ...]:
    """The cgo tool's command."""
    argv = [layout.tool("cgo"), "-objdir", layout.object_dir + "/", "-importpath", spec.import_path]
    argv += spec.cgo_flags
    if spec.ld_flags:
        argv.append("-ldflags=" + " ".join(quoted.go_quote(flag) for flag in spec.ld_flags))
    argv += ["--", *spec.cpp_flags, "-I", layout.object_dir + "/", *spec.c_flags]
    return (*argv, *(layout.source(file.name) for file in spec.cgo_files))


def generated_go_files(spec: CgoSpec) -> list[str]:
    """The Go files that the cgo tool writes, by name in the work folder."""
    stems = [file.name.removesuffix(".go") for file in spec.cgo_files]
    return ["_cgo_gotypes.go", *(f"{stem}.cgo1.go" for stem in stems)]


def c_compilations(spec: CgoSpec, layout: Layout) -> list[tuple[str, bool]]:
    """The C files in the order of their objects: (path, is C++)."""
    stems = [file.name.removesuffix(".go") for file in spec.cgo_files]
    generated = ["_cgo_export.c", *(f"{stem}.cgo2.c" for stem in stems)]
    files = [(layout.object(name), False) for name in generated]
    files += [(layout.source(file.name), False) for file in (*spec.s_files, *spec.c_files)]
    return files + [(layout.source(file.name), True) for file in spec.cxx_files]


def cc_argv(
    spec: CgoSpec, layout: Layout, root: tuple[str, str], file: tuple[str, bool], output: str
) -> tuple[str, ...]:
    """The C or C++ compiler's command for one of `c_compilations`; it runs in the file's folder.

    `root` is a folder whose name objects must not have, and the name that they get in its place.
    """
    return (*_unit_flags(spec, layout, root, cxx=file[1]), "-o", output, "-c", file[0].rpartition("/")[2])


def preprocess_argv(
    spec: CgoSpec, layout: Layout, root: tuple[str, str], file: tuple[str, bool], dependencies: str
) -> tuple[str, ...]:
    """The command that prints what the compiler gets to see of a file, macros included; `-` is stdin, in C.

    It names what it reads in the file `dependencies`, and the folders that it searches on stderr.
    """
    path, cxx = file
    language = ("-x", "c") if path == "-" else ()
    told = ("-E", "-dD", "-v", "-MD", "-MF", dependencies, "-MT", "unit")
    return (*_unit_flags(spec, layout, root, cxx=cxx), *told, *language, path.rpartition("/")[2])


def assemble_argv(
    spec: CgoSpec, layout: Layout, root: tuple[str, str], file: tuple[str, bool], dependencies: str
) -> tuple[str, ...]:
    """The command by which GNU's assembler names what it reads for a file; `-` is stdin, in C."""
    path, cxx = file
    language = ("-x", "c") if path == "-" else ()
    told = (f"-Wa,--MD,{dependencies}", "-o", f"{dependencies}.o", "-c")
    return (*_unit_flags(spec, layout, root, cxx=cxx), *told, *language, path.rpartition("/")[2])


def show_argv(spec: CgoSpec, *, cxx: bool) -> tuple[str, ...]:
    """The command that prints which programs the compiler would run for its flags, with what arguments."""
    compilers = spec.compilers
    driver = (*compilers.cxx, *compilers.cxx_flags) if cxx else (*compilers.cc, *compilers.cc_flags)
    flags = (*spec.cpp_flags, *(spec.cxx_flags if cxx else spec.c_flags))
    return (*driver, *flags, "-###", "-x", "c++" if cxx else "c", "-c", "/dev/null", "-o", "/dev/null")


def _unit_flags(spec: CgoSpec, layout: Layout, root: tuple[str, str], *, cxx: bool) -> list[str]:
    """The compiler with everything that it gets for a file, whatever it is to do with it."""
    compilers = spec.compilers
    argv = _driver(compilers, layout, cxx=cxx)
    argv += [*spec.cpp_flags, "-I", layout.object_dir + "/", *(spec.cxx_flags if cxx else spec.c_flags)]
    if compilers.prefix_map_flag:
        argv.append(f"{compilers.prefix_map_flag}={root[0]}={root[1]}")
        # The last map that a name begins with wins (gcc's add_prefix_map). go build's work folder lies where
        # no map but its own fits; this one may lie in the module, or in a folder that the user's flags map.
        argv.append(_work_map(compilers, layout))
    if compilers.random_seed:
        argv.append(_RANDOM_SEED)
    return argv


def _driver(compilers: CToolchain, layout: Layout, *, cxx: bool) -> list[str]:
    """The compiler, its include folder, and what hides the work folder's name."""
    argv = [*(compilers.cxx if cxx else compilers.cc), "-I", layout.source_dir]
    flags = list(compilers.cxx_flags if cxx else compilers.cc_flags)
    if compilers.prefix_map_flag:
        flags.insert(flags.index("-fmessage-length=0") + 1, _work_map(compilers, layout))
    return argv + flags


def _work_map(compilers: CToolchain, layout: Layout) -> str:
    return f"{compilers.prefix_map_flag}={layout.object_dir}=/tmp/go-build"


def test_link_argv(spec: CgoSpec, layout: Layout, objects: Sequence[str], *, pie: bool) -> tuple[str, ...]:
    """The trial link whose result shows what is imported dynamically; it may fail."""
    flags = list(spec.ld_flags)
    if pie and "-no-pie" not in flags:
        flags.append("-pie")
        if "-static" in flags:
            flags = [flag for flag in flags if flag != "-static"]
    driver = _driver(spec.compilers, layout, cxx=bool(spec.cxx_files))
    return (*driver, "-o", layout.object("_cgo_.o"), *objects, *flags)


def dynimport_argv(spec: CgoSpec, layout: Layout) -> tuple[str, ...]:
    """The cgo tool's command that lists the dynamic imports of the trial link."""
    argv = [layout.tool("cgo"), "-dynpackage", spec.package_name, "-dynimport", layout.object("_cgo_.o")]
    return (*argv, "-dynout", layout.object("_cgo_import.go"), *spec.dynimport_flags)


def hide_source(text: bytes, source_dir: str) -> bytes:
    """Put the token where a generated Go file's `//line` comments name the package's folder."""
    return text.replace(os.fsencode(f"//line {source_dir}/"), f"//line {SOURCE_TOKEN}/".encode())


def reveal_source(text: bytes, source_dir: str) -> bytes:
    """The inverse of `hide_source`, for the folder at hand."""
    return text.replace(f"//line {SOURCE_TOKEN}/".encode(), os.fsencode(f"//line {source_dir}/"))
