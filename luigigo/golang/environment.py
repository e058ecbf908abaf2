"""What `go env` says of one build: target, C compiler, flags. A record and its readings; pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from luigigo.errors import UsageError
from luigigo.golang.variables import SEALED, TOOL_SETTINGS

ARCH_VARIABLE = {
    "386": "GO386",
    "amd64": "GOAMD64",
    "arm": "GOARM",
    "arm64": "GOARM64",
    "mips": "GOMIPS",
    "mipsle": "GOMIPS",
    "mips64": "GOMIPS64",
    "mips64le": "GOMIPS64",
    "ppc64": "GOPPC64",
    "ppc64le": "GOPPC64",
    "riscv64": "GORISCV64",
    "wasm": "GOWASM",
}
"""The variable that chooses a level of each architecture (cmd/go/internal/cfg.GetArchEnv)."""


class GoEnv(msgspec.Struct, frozen=True, rename="upper"):
    """The values of `go env -json` that a build depends on, by their own names."""

    goroot: str
    goversion: str
    gotooldir: str
    goos: str
    goarch: str
    gohostos: str
    gohostarch: str
    goexperiment: str = ""
    goflags: str = ""
    gomod: str = ""
    gowork: str = ""
    gomodcache: str = ""
    goenv: str = ""
    go111module: str = ""
    gofips140: str = "off"
    cgo_enabled: str = "0"
    cc: str = ""
    cxx: str = ""
    cgo_cflags: str = ""
    cgo_cppflags: str = ""
    cgo_cxxflags: str = ""
    cgo_ldflags: str = ""
    pkg_config: str = ""
    cgo_cflags_allow: str = ""
    cgo_cflags_disallow: str = ""
    cgo_cppflags_allow: str = ""
    cgo_cppflags_disallow: str = ""
    cgo_cxxflags_allow: str = ""
    cgo_cxxflags_disallow: str = ""
    cgo_ldflags_allow: str = ""
    cgo_ldflags_disallow: str = ""
    godebug: str = ""
    go_extlink_enabled: str = ""
    """This and the one before as the process has them: what `go env -w` keeps of them reaches no tool."""
    go386: str = ""
    goamd64: str = ""
    goarm: str = ""
    goarm64: str = ""
    gomips: str = ""
    gomips64: str = ""
    goppc64: str = ""
    goriscv64: str = ""
    gowasm: str = ""

    @property
    def arch_setting(self) -> tuple[str, str]:
        """The architecture's level, such as ("GOAMD64", "v1"); ("", "") when it has none."""
        name = ARCH_VARIABLE.get(self.goarch, "")
        return name, getattr(self, name.lower()) if name else ""

    @property
    def default_is_pie(self) -> bool:
        """Whether `-buildmode=default` makes a position-independent executable (platform.DefaultPIE)."""
        return self.goos in ("android", "ios", "darwin", "windows")

    def tool_environment(self) -> dict[str, str]:
        """The variables that the Go tools read, and nothing else."""
        name, value = self.arch_setting
        wanted = {
            "GOOS": self.goos,
            "GOARCH": self.goarch,
            name: value,
            "GOEXPERIMENT": self.goexperiment,
            "GO_EXTLINK_ENABLED": self.go_extlink_enabled,
            "GODEBUG": self.godebug,
        }
        return {key: text for key, text in wanted.items() if key and text}

    def with_variables(self, variables: Mapping[str, str]) -> GoEnv:
        """The same with what Go's tools read of the process' own environment."""
        own = {name.lower(): variables.get(name, "") for name in TOOL_SETTINGS}
        return msgspec.structs.replace(self, **own)

    @property
    def flag_rules(self) -> dict[str, str]:
        """`CGO_CFLAGS_ALLOW` and its like, wherever they are set."""
        names = [name for name in GoEnv.__struct_fields__ if name.endswith("allow")]
        return {name.upper(): getattr(self, name) for name in names}


ENV_NAMES = tuple(field.upper() for field in GoEnv.__struct_fields__ if field.upper() not in TOOL_SETTINGS)


def check_environment(env: GoEnv, variables: dict[str, str], *, race: bool) -> None:
    """Raise `UsageError` for what luigigo does not build, by name, before anything runs."""
    for name in SEALED:
        if variables.get(name):
            raise UsageError(f"{name} is set; luigigo does not support it: unset it, or use go build")
    if env.go111module == "off":
        raise UsageError("GO111MODULE=off: luigigo builds modules only; unset it, or use go build")
    if env.gofips140 not in ("", "off"):
        raise UsageError(f"GOFIPS140={env.gofips140} is not supported by luigigo: unset it, or use go build")
    if env.goarch == "wasm" or env.goos == "plan9":
        raise UsageError(f"{env.goos}/{env.goarch} is not supported by luigigo: use go build")
    if env.goos in ("android", "ios", "aix"):
        raise UsageError(f"GOOS={env.goos} is not supported by luigigo: use go build")
    if race and env.cgo_enabled != "1" and env.goos != "darwin":
        same = (env.goos, env.goarch) == (env.gohostos, env.gohostarch)
        raise UsageError("-race requires cgo" + ("; enable cgo by setting CGO_ENABLED=1" if same else ""))
