"""Find out what the C compilers are, which flags they take, and which headers a package reads.

Runs the C compiler and pkg-config; caches by what it was told. Knows nothing of plans or stores.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from luigigo.errors import PlanError, ToolchainError
from luigigo.golang import cgo, quoted
from luigigo.golang.actions import CgoSpec, CToolchain, Files, SourceFile
from luigigo.golang.cflags import AllowedFlags, FlagCheck, is_safe_argument, require_valid, split_pkg_config
from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Package
from luigigo.golang.releases import Release
from luigigo.model import Digest, digest_of
from luigigo.process import Command, Runner
from luigigo.store.stathashes import StatHashes

KEYED_VARIABLES = (
    "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "LD_LIBRARY_PATH", "LD_RUN_PATH",
    "COMPILER_PATH", "GCC_EXEC_PREFIX", "GCC_SPECS", "SDKROOT", "SOURCE_DATE_EPOCH", "SYSROOT",
    "GO_EXTLINK_ENABLED",
)  # fmt: skip
"""Variables that gcc, clang and ld obey; they are passed on and part of every key with C in it."""

_REFUSALS = (
    b"unrecognized",
    b"unknown",
    b"unrecognised",
    b"is not supported",
    b"not recognized",
    b"unsupported",
)
_PROGRAMS = ("cc1", "cc1plus", "as", "ld", "collect2")


class CProbe:
    """Asks the C compilers, once for each answer; answers are kept in `cache_dir` by the compiler's stat."""

    def __init__(
        self, runner: Runner, hashes: StatHashes, cache_dir: str, variables: Mapping[str, str]
    ) -> None:
        self._runner = runner
        self._hashes = hashes
        self._cache_dir = cache_dir
        self._variables = dict(variables)
        self.programs: list[str] = []
        """The compilers asked so far and what they call, by absolute path."""

    def toolchain(self, env: GoEnv, release: Release, *, needs_cxx: bool) -> CToolchain:
        """Identify the compilers of a build. Raises `ToolchainError` when one is missing."""
        cc = tuple(quoted.split(env.cc)) or ("gcc",)
        cxx = tuple(quoted.split(env.cxx)) or ("g++",)
        cc_identity, supported = self._compiler(cc, env)
        identities = [cc_identity]
        cxx_supported = supported
        if needs_cxx:
            cxx_identity, cxx_supported = self._compiler(cxx, env)
            identities.append(cxx_identity)
        keyed = [(name, self._variables[name]) for name in KEYED_VARIABLES if self._variables.get(name)]
        return CToolchain(
            cc=cc,
            cxx=cxx,
            identity=digest_of(identities),
            cc_flags=cgo.common_flags(env, release, supported),
            cxx_flags=cgo.common_flags(env, release, cxx_supported),
            prefix_map_flag=cgo.prefix_map_flag(supported),
            random_seed="-frandom-seed=1" in supported,
            environment=tuple(keyed),
        )

    def has(self, compilers: CToolchain) -> bool:
        """Whether this machine's compilers are the ones that were identified elsewhere."""
        try:
            cc = self._identify(compilers.cc)
            if digest_of([cc]) == compilers.identity:
                return True
            return digest_of([cc, self._identify(compilers.cxx)]) == compilers.identity
        except (ToolchainError, OSError):
            return False

    def _compiler(self, argv: tuple[str, ...], env: GoEnv) -> tuple[Digest, frozenset[str]]:
        identity = self._identify(argv)
        flags = self._cached(
            digest_of("flags", identity, env.cgo_cflags, env.cgo_ldflags),
            lambda: self._probe_flags(argv, env),
        )
        return identity, frozenset(flags)

    def _identify(self, argv: tuple[str, ...]) -> Digest:
        path = shutil.which(argv[0], path=self._variables.get("PATH"))
        if path is None:
            raise ToolchainError(
                f"cgo: C compiler {argv[0]!r} not found in PATH: "
                "install it, or set CC, or build with CGO_ENABLED=0"
            )
        programs = self._cached(
            digest_of("programs", argv, self._hashes.digest(os.path.realpath(path))),
            lambda: self._called_programs(argv),
        )
        self.programs += [path, *programs]
        digests = [self._hashes.digest(program) for program in programs if os.path.isfile(program)]
        return digest_of(argv, self._hashes.digest(os.path.realpath(path)), digests)

    def _called_programs(self, argv: tuple[str, ...]) -> list[str]:
        """What the driver calls: compiler proper, assembler, linker; by absolute path."""
        found = []
        for program in _PROGRAMS:
            finished = self._run((*argv, f"-print-prog-name={program}"))
            name = finished.decode(errors="replace").strip()
            located = shutil.which(name, path=self._variables.get("PATH")) if name else None
            if located:
                found.append(os.path.realpath(located))
        return found

    def _probe_flags(self, argv: tuple[str, ...], env: GoEnv) -> list[str]:
        with ThreadPoolExecutor(len(cgo.PROBED_FLAGS)) as pool:
            answers = pool.map(lambda flag: self._supports(argv, flag, env), cgo.PROBED_FLAGS)
            return [flag for flag, answer in zip(cgo.PROBED_FLAGS, answers, strict=True) if answer]

    def _supports(self, argv: tuple[str, ...], flag: str, env: GoEnv) -> bool:
        """Whether the compiler takes the flag; the words to look for are those of gccSupportsFlag."""
        given = env.cgo_ldflags if flag.startswith("-Wl,") else env.cgo_cflags
        extra = quoted.split(given) + ([] if flag.startswith("-Wl,") else ["-c"])
        output = self._run((*argv, flag, *extra, "-x", "c", "-", "-o", os.devnull))
        return not any(word in output for word in _REFUSALS)

    def _run(self, argv: tuple[str, ...]) -> bytes:
        env = {**self._variables, "LC_ALL": "C"}
        return self._runner.run(Command(argv=argv, cwd=self._cache_dir, env=env)).output

    def _cached(self, key: Digest, make: Callable[[], list[str]]) -> list[str]:
        path = os.path.join(self._cache_dir, key)
        try:
            with open(path, "rb") as file:
                return msgspec.json.decode(file.read(), type=list[str])
        except (OSError, msgspec.DecodeError):
            answer = make()
            _write(path, msgspec.json.encode(answer))
            return answer

    def headers(self, spec: CgoSpec, source_dir: str) -> Files:
        """The headers outside the package that its C code reads, with digests, by the compiler's own word.

        go build has no such rule: it misses an edited system header. Generated headers do not count.
        """
        key = digest_of("headers", spec, source_dir)
        kept = self._cached(key, lambda: self._find_headers(spec, source_dir))
        try:
            return self._with_digests(kept, source_dir)
        except OSError:
            # A header of the earlier answer is gone: ask again.
            os.unlink(os.path.join(self._cache_dir, key))
            found = self._cached(key, lambda: self._find_headers(spec, source_dir))
            return self._with_digests(found, source_dir)

    def _with_digests(self, paths: list[str], source_dir: str) -> Files:
        return tuple(SourceFile(path, self._hashes.digest(path)) for path in paths)

    def _find_headers(self, spec: CgoSpec, source_dir: str) -> list[str]:
        preambles = "\n".join(
            preamble
            for file in spec.cgo_files
            for preamble in read_preambles(os.path.join(source_dir, file.name))
        )
        compilers = spec.compilers
        c_flags = (*compilers.cc_flags, *spec.cpp_flags, *spec.c_flags)
        cxx_flags = (*compilers.cxx_flags, *spec.cpp_flags, *spec.cxx_flags)
        c_names = [file.name for file in (*spec.c_files, *spec.s_files) if not file.name.endswith(".s")]
        found = self._dependencies((*compilers.cc, *c_flags), ["-x", "c", "-"], source_dir, preambles)
        if c_names:
            found |= self._dependencies((*compilers.cc, *c_flags), c_names, source_dir, "")
        if spec.cxx_files:
            names = [file.name for file in spec.cxx_files]
            found |= self._dependencies((*compilers.cxx, *cxx_flags), names, source_dir, "")
        own = source_dir.rstrip("/") + "/"
        package_files = {
            own + file.name for file in (*spec.h_files, *spec.c_files, *spec.cxx_files, *spec.s_files)
        }
        return sorted(path for path in found if path not in package_files)

    def _dependencies(self, argv: tuple[str, ...], inputs: list[str], folder: str, text: str) -> set[str]:
        """Absolute paths of what the preprocessor reads; files that are generated later are no error."""
        command = Command(
            argv=(*argv, "-I", folder, "-M", "-MG", *inputs),
            cwd=folder,
            env={**self._variables, "LC_ALL": "C"},
            stdin=text.encode(errors="surrogateescape"),
            separate_stderr=True,
        )
        output = self._runner.run(command).output.decode(errors="surrogateescape")
        words = re.findall(r"(?:\\.|[^\s\\])+", output.replace("\\\n", " "))
        paths = (
            os.path.join(folder, re.sub(r"\\(.)", r"\1", word)) for word in words if not word.endswith(":")
        )
        return {os.path.normpath(path) for path in paths if os.path.isfile(path)}

    def pkg_config(
        self, package: Package, env: GoEnv, allowed: AllowedFlags
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The C and linker flags that pkg-config gives for a package (getPkgConfigFlags).

        Raises `PlanError` with pkg-config's own words when it fails.
        """
        arguments = [argument for argument in package.cgo_pkg_config if argument != "--"]
        flags = [argument for argument in arguments if argument.startswith("--")]
        names = [argument for argument in arguments if not argument.startswith("--")]
        if not names and not flags:
            return (), ()
        for name in names:
            if not is_safe_argument(name):
                raise PlanError(f"{package.import_path}: invalid pkg-config package name: {name}")
        check = FlagCheck("pkg-config", "pkg-config", tuple(flags))
        require_valid(check, allowed, {}, package.import_path)
        program = (quoted.split(env.pkg_config) or ["pkg-config"])[0]
        c_flags = self._pkg_config_output(package, (program, "--cflags", *flags, "--", *names))
        ld_flags = self._pkg_config_output(package, (program, "--libs", *flags, "--", *names))
        for flag_check in (
            FlagCheck("CFLAGS", "pkg-config --cflags", tuple(c_flags)),
            FlagCheck("LDFLAGS", "pkg-config --libs", tuple(ld_flags)),
        ):
            require_valid(flag_check, allowed, self._variables, package.import_path)
        return tuple(c_flags), tuple(ld_flags)

    def _pkg_config_output(self, package: Package, argv: tuple[str, ...]) -> list[str]:
        command = Command(argv=argv, cwd=package.dir, env=self._variables)
        try:
            finished = self._runner.run(command)
        except FileNotFoundError as error:
            raise PlanError(
                f"# {package.import_path}\n{argv[0]} is not installed, and #cgo pkg-config asks for it"
            ) from error
        text = finished.output.decode(errors="replace")
        if finished.exit_code != 0:
            raise PlanError(f"# {package.import_path}\n# [{' '.join(argv)}]\n{text.rstrip()}")
        return split_pkg_config(text)


_PREAMBLE = re.compile(r"((?:^[ \t]*//[^\n]*\n)+|/\*.*?\*/[ \t]*\n)[ \t]*import[ \t]+\"C\"", re.M | re.S)


def read_preambles(path: str) -> list[str]:
    """The C text in the comments above each `import "C"` of a Go file."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    found = []
    for match in _PREAMBLE.finditer(text):
        comment = match[1]
        if comment.startswith("/*"):
            body = comment[comment.rindex("/*") + 2 : comment.rindex("*/")]
        else:
            body = "\n".join(line.strip()[2:] for line in comment.splitlines())
        found.append("\n".join(line for line in body.splitlines() if not line.strip().startswith("#cgo ")))
    return found


def _write(path: str, content: bytes) -> None:
    # Threads ask the same at the same moment.
    temporary = f"{path}.{os.getpid()}.{threading.get_ident()}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(temporary, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
