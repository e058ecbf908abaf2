"""What a user asks to be built, with `go build`'s own words; checked before anything runs. Pure."""

from __future__ import annotations

import os

import msgspec

from luigigo.currentfolder import absolute, current_folder
from luigigo.errors import PlanError, UsageError
from luigigo.golang import quoted
from luigigo.golang.buildflags import REFUSED_FLAGS

BUILD_MODES = ("default", "exe", "pie")
_UNSUPPORTED_MODES = ("archive", "c-archive", "c-shared", "shared", "plugin")
MODULE_MODES = ("", "readonly", "vendor", "mod")
VCS_MODES = ("false", "true", "auto")


class BuildFlags(msgspec.Struct, frozen=True):
    """The flags of `go build` that change what is built, by the names of `go help build`.

    "" means the go command's own default.
    """

    tags: str = ""
    ldflags: tuple[str, ...] = ()
    gcflags: tuple[str, ...] = ()
    asmflags: tuple[str, ...] = ()
    race: bool = False
    buildmode: str = "default"
    pgo: str = "auto"
    mod: str = ""
    modfile: str = ""
    buildvcs: str = "false"
    goos: str = ""
    goarch: str = ""
    cgo_enabled: str = ""
    modcacherw: bool = False
    rebuild: bool = False
    """Whether to do every action again, whatever is in the store (-a)."""


class BuildRequest(BuildFlags, frozen=True, kw_only=True):
    """One `go build` command: the project, the packages in it, and the flags."""

    project: str
    """An absolute folder, or `module/path@version` as `go install` takes it."""
    packages: tuple[str, ...] = (".",)

    @property
    def is_remote_module(self) -> bool:
        """Whether the project is a `module/path@version`."""
        return "@" in self.project and not self.project.startswith("/")

    def list_flags(self) -> list[str]:
        """The flags for `go list`: those that decide which files and packages take part."""
        flags = ["-trimpath", "-buildvcs=false", "-pgo=off"]
        if self.tags:
            flags.append(f"-tags={self.tags}")
        flags += [f"-ldflags={value}" for value in self.ldflags]
        if self.race:
            flags.append("-race")
        if self.buildmode != "default":
            flags.append(f"-buildmode={self.buildmode}")
        if self.mod:
            flags.append(f"-mod={self.mod}")
        if self.modfile:
            flags.append(f"-modfile={self.modfile}")
        if self.modcacherw:
            flags.append("-modcacherw")
        return flags

    def build_flags(self) -> list[str]:
        """The flags with which `go build` makes the same binary."""
        flags = ["-trimpath", f"-buildvcs={self.buildvcs}", f"-pgo={self.pgo}"]
        flags += [flag for flag in self.list_flags()[3:] if not flag.startswith("-ldflags=")]
        flags += [f"-gcflags={value}" for value in self.gcflags]
        flags += [f"-asmflags={value}" for value in self.asmflags]
        flags += [f"-ldflags={value}" for value in (*self.ldflags, "-buildid=")[:1]]
        return flags

    def environment(self) -> dict[str, str]:
        """The variables that the request sets for the go command."""
        wanted = {"GOOS": self.goos, "GOARCH": self.goarch, "CGO_ENABLED": self.cgo_enabled}
        return {name: value for name, value in wanted.items() if value}


def absolute_project(project: str) -> str:
    """The folder by its absolute path; a `module/path@version` as it is, unless such a folder is there.

    Raises `PlanError` for a relative one where the current folder is gone.
    """
    if "@" in project and not os.path.exists(project) and not project.startswith((".", "/")):
        return project
    return absolute(os.path.expanduser(project))


def absolute_output(output: str) -> str:
    """The output from the root on, with the user's own words after `/./`.

    `-o bin/x` in /home/me is `/home/me/./bin/x`: a path to the same file, from which `output_words` gets
    back what the go command names in its messages. No output is the current folder and `//.`. An absolute
    output stays as it is. Raises `PlanError` where the current folder is wanted and gone.
    """
    if output.startswith("/"):
        return output
    folder = current_folder().rstrip("/")
    return f"{folder}/./{output}" if output else f"{folder}//."


def output_words(output: str) -> str:
    """An absolute output as the user wrote it; "" for none."""
    if is_default_output(output):
        return ""
    return output.partition("/./")[2] or output


def output_folder(output: str) -> str:
    """The folder that an absolute output is relative to."""
    marker = "//." if is_default_output(output) else "/./"
    return output.partition(marker)[0] or "/"


def is_default_output(output: str) -> bool:
    """Whether an absolute output stands for none: the program's default name in a folder."""
    return output.endswith("//.") and "/./" not in output


def check(request: BuildRequest) -> BuildRequest:
    """Return the request if luigigo can build it; raise `UsageError` naming what it cannot."""
    if request.buildmode in _UNSUPPORTED_MODES:
        raise UsageError(
            f"-buildmode={request.buildmode} is not supported by luigigo: use exe or pie, or go build"
        )
    for name, value, known in (
        ("buildmode", request.buildmode, BUILD_MODES),
        ("mod", request.mod, MODULE_MODES),
        ("buildvcs", request.buildvcs, VCS_MODES),
        ("cgo-enabled", request.cgo_enabled, ("", "0", "1")),
    ):
        if value not in known:
            choices = ", ".join(choice for choice in known if choice)
            raise UsageError(f"-{name}={value} is not known; it can be {choices}")
    for pattern in request.packages:
        if pattern.startswith("-"):
            raise UsageError(f"{pattern!r} looks like a flag where a package is wanted")
    return request


def split_tags(text: str) -> list[str]:
    """The build tags of a value of -tags: between commas, or the older way, between blanks (tagsFlag.Set).

    Raises `PlanError` for both at once, which `go build` refuses and `go list` does not (work.BuildInit).
    """
    if " " not in text and "'" not in text:
        return [tag for tag in text.split(",") if tag]
    tags = quoted.split(text)
    if any("," in tag for tag in tags):
        raise PlanError("go: -tags space-separated list contains comma")
    return tags


def with_goflags(request: BuildRequest, goflags: str) -> BuildRequest:
    """Fill what the request leaves open from GOFLAGS, as the go command does.

    Raises `UsageError` for a flag that changes the binary in a way that luigigo does not know.
    """
    changes: dict[str, object] = {}
    per_package: dict[str, tuple[str, ...]] = {}
    for flag in quoted.split(goflags):
        name, _, value = flag.lstrip("-").partition("=")
        if name in REFUSED_FLAGS and value != "false":
            raise UsageError(f"GOFLAGS has {flag}, which luigigo does not support: unset it, or use go build")
        if name in ("ldflags", "gcflags", "asmflags"):
            per_package[name] = (*per_package.get(name, ()), value)
        elif name == "race":
            changes["race"] = request.race or value in ("", "true", "1")
        elif name in ("tags", "mod", "modfile") and not getattr(request, name):
            changes[name] = value
        elif name == "buildmode" and request.buildmode == "default":
            changes["buildmode"] = value
        elif name == "pgo" and request.pgo == "auto":
            changes["pgo"] = value
    for name, values in per_package.items():
        # As with flags given twice: for each package the last match wins.
        changes[name] = (*values, *getattr(request, name))
    return check(msgspec.structs.replace(request, **changes)) if changes else request
