"""Find out what the C compilers are and which flags they take. Runs them; caches by what it was told.

Knows nothing of plans or stores.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from luigigo.encoding import Codec
from luigigo.errors import ToolchainError
from luigigo.golang import cgo, quoted, variables
from luigigo.golang.actions import CToolchain
from luigigo.golang.compilers import has_compiler_name, without_wrappers
from luigigo.golang.environment import GoEnv
from luigigo.golang.releases import Release
from luigigo.model import Digest, digest_of
from luigigo.process import Command, Runner
from luigigo.store.stathashes import StatHashes

_answers = Codec[list[str]](msgspec.json, list[str])

_REFUSALS = (
    b"unrecognized",
    b"unknown",
    b"unrecognised",
    b"is not supported",
    b"not recognized",
    b"unsupported",
)
_PROGRAMS = ("cc1", "cc1plus", "as", "ld", "collect2")
_ELF = b"\x7fELF"


class Compiler(msgspec.Struct, frozen=True):
    """One C compiler as it was found."""

    identity: Digest
    """Digest of its arguments, of the driver, and of the programs that this calls."""
    files: tuple[str, ...]
    """All of these, by absolute path."""
    is_known: bool
    """Whether it and all that it calls are programs whose variables are known (`variables`)."""


class CProbe:
    """Asks the C compilers, once for each answer; answers are kept in `cache_dir` by the compiler's stat."""

    def __init__(
        self, runner: Runner, hashes: StatHashes, cache_dir: str, environment: Mapping[str, str]
    ) -> None:
        self._runner = runner
        self._hashes = hashes
        self._cache_dir = cache_dir
        self._environment = dict(environment)
        self.programs: list[str] = []
        """The compilers asked so far and what they call, by absolute path."""

    def toolchain(self, env: GoEnv, release: Release, *, needs_cxx: bool) -> CToolchain:
        """Identify the compilers of a build. Raises `ToolchainError` when one is missing."""
        cc = tuple(quoted.split(env.cc)) or ("gcc",)
        cxx = tuple(quoted.split(env.cxx)) or ("g++",)
        compilers = [self.identify(cc)]
        supported = cxx_supported = self._supported(cc, compilers[0], env)
        if needs_cxx:
            compilers.append(self.identify(cxx))
            cxx_supported = self._supported(cxx, compilers[1], env)
        is_known = all(compiler.is_known for compiler in compilers)
        return CToolchain(
            cc=cc,
            cxx=cxx,
            identity=digest_of([compiler.identity for compiler in compilers]),
            cc_flags=cgo.common_flags(env, release, supported),
            cxx_flags=cgo.common_flags(env, release, cxx_supported),
            prefix_map_flag=cgo.prefix_map_flag(supported),
            random_seed="-frandom-seed=1" in supported,
            environment=variables.of_c(self._environment) if is_known else (),
            everything="" if is_known else digest_of(variables.of_anything(self._environment)),
        )

    def has(self, compilers: CToolchain) -> bool:
        """Whether this machine's compilers are the ones that were identified elsewhere."""
        try:
            cc = self.identify(compilers.cc).identity
            if digest_of([cc]) == compilers.identity:
                return True
            return digest_of([cc, self.identify(compilers.cxx).identity]) == compilers.identity
        except (ToolchainError, OSError):
            return False

    def _supported(self, argv: tuple[str, ...], compiler: Compiler, env: GoEnv) -> frozenset[str]:
        key = digest_of(
            "flags", compiler.identity, env.cgo_cflags, env.cgo_ldflags, self._obeyed(compiler.is_known)
        )
        return frozenset(self._cached(key, lambda: self._probe_flags(argv, env)))

    def identify(self, argv: tuple[str, ...]) -> Compiler:
        """What a compiler's command stands for on this machine. Raises `ToolchainError` for none."""
        path = shutil.which(argv[0], path=self._environment.get("PATH"))
        if path is None:
            raise ToolchainError(_not_found(argv[0]))
        driver = self._hashes.digest(os.path.realpath(path))
        is_known = self._is_known(argv)
        key = digest_of("programs", argv, driver, self._obeyed(is_known))
        found = [
            file for file in self._cached(key, lambda: self._called_programs(argv)) if os.path.isfile(file)
        ]
        is_known = is_known and all(map(_is_elf, found))
        self.programs += [path, *found]
        identity = digest_of(argv, driver, [self._hashes.digest(file) for file in found])
        return Compiler(identity, (path, *found), is_known)

    def _is_known(self, argv: tuple[str, ...]) -> bool:
        """Whether the command is gcc or clang itself, behind known wrappers or none."""
        words = [*argv[: len(argv) - len(without_wrappers(argv))], without_wrappers(argv)[0]]
        paths = [shutil.which(word, path=self._environment.get("PATH")) for word in words]
        real = [os.path.realpath(path) for path in paths if path is not None]
        return len(real) == len(words) and all(map(_is_elf, real)) and has_compiler_name(real[-1])

    def _obeyed(self, is_known: bool) -> object:
        """The part of the environment on which the compiler's answers depend."""
        if is_known:
            return [self._environment.get("PATH"), variables.of_c(self._environment)]
        return variables.of_anything(self._environment)

    def _called_programs(self, argv: tuple[str, ...]) -> list[str]:
        """What the driver calls: compiler proper, assembler, linker; by absolute path."""
        found = []
        for program in _PROGRAMS:
            name = os.fsdecode(self._run((*argv, f"-print-prog-name={program}"))).strip()
            located = shutil.which(name, path=self._environment.get("PATH")) if name else None
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
        env = {**self._environment, "LC_ALL": "C"}
        return self._runner.run(Command(argv=argv, cwd=self._cache_dir, env=env)).output

    def _cached(self, key: Digest, make: Callable[[], list[str]]) -> list[str]:
        path = os.path.join(self._cache_dir, key)
        try:
            with open(path, "rb") as file:
                return _answers.decode(file.read())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            answer = make()
            _write(path, _answers.encode(answer))
            return answer


def _not_found(name: str) -> str:
    """What the cgo tool says of a compiler that is not there, by its own name and by a path (os/exec)."""
    reason = "executable file not found in $PATH"
    if "/" in name:
        reason = f"stat {name}: no such file or directory"
        if os.path.exists(name):
            reason = "is a directory" if os.path.isdir(name) else "permission denied"
    name = quoted.go_quote(name)
    return (
        f"# runtime/cgo\ncgo: C compiler {name} not found: exec: {name}: {reason}\n"
        "luigigo: install it, or set CC, or build with CGO_ENABLED=0"
    )


def _is_elf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_ELF)) == _ELF
    except OSError:
        return False


def _write(path: str, content: bytes) -> None:
    # Threads ask the same at the same moment.
    temporary = f"{path}.{os.getpid()}.{threading.get_ident()}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(temporary, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
