"""A Go package as `go list -json` describes it. Knows nothing of how it was listed or will be built."""

from __future__ import annotations

import msgspec


class Module(msgspec.Struct, frozen=True, rename="pascal"):
    """cmd/go/internal/modinfo.ModulePublic, the part that a build needs."""

    path: str = ""
    version: str = ""
    replace: Module | None = None
    main: bool = False
    dir: str = ""
    go_mod: str = ""
    go_version: str = ""
    sum: str = ""


class PackageError(msgspec.Struct, frozen=True, rename="pascal"):
    """Why the go command could not load a package."""

    err: str = ""
    pos: str = ""


_IRREGULAR = {
    "c_files": "CFiles",
    "cxx_files": "CXXFiles",
    "m_files": "MFiles",
    "h_files": "HFiles",
    "f_files": "FFiles",
    "s_files": "SFiles",
    "swig_cxx_files": "SwigCXXFiles",
    "cgo_cflags": "CgoCFLAGS",
    "cgo_cppflags": "CgoCPPFLAGS",
    "cgo_cxxflags": "CgoCXXFLAGS",
    "cgo_ldflags": "CgoLDFLAGS",
    "default_godebug": "DefaultGODEBUG",
}


def _go_name(field: str) -> str:
    return _IRREGULAR.get(field) or "".join(part.capitalize() for part in field.split("_"))


class Package(msgspec.Struct, frozen=True, rename=_go_name):
    """load.PackagePublic (cmd/go/internal/load/pkg.go), the fields that a build needs.

    File names are relative to `dir`.
    """

    dir: str = ""
    import_path: str = ""
    name: str = ""
    standard: bool = False
    goroot: bool = False
    root: str = ""
    module: Module | None = None
    dep_only: bool = False
    match: tuple[str, ...] = ()
    """The patterns of the command line that it matches."""
    default_godebug: str = ""
    error: PackageError | None = None
    incomplete: bool = False
    go_files: tuple[str, ...] = ()
    cgo_files: tuple[str, ...] = ()
    ignored_go_files: tuple[str, ...] = ()
    """Those that a build constraint or their name keeps out."""
    c_files: tuple[str, ...] = ()
    cxx_files: tuple[str, ...] = ()
    m_files: tuple[str, ...] = ()
    h_files: tuple[str, ...] = ()
    f_files: tuple[str, ...] = ()
    s_files: tuple[str, ...] = ()
    syso_files: tuple[str, ...] = ()
    swig_files: tuple[str, ...] = ()
    swig_cxx_files: tuple[str, ...] = ()
    embed_patterns: tuple[str, ...] = ()
    embed_files: tuple[str, ...] = ()
    cgo_cflags: tuple[str, ...] = ()
    cgo_cppflags: tuple[str, ...] = ()
    cgo_cxxflags: tuple[str, ...] = ()
    cgo_ldflags: tuple[str, ...] = ()
    cgo_pkg_config: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    import_map: dict[str, str] = {}
    deps: tuple[str, ...] = ()

    @property
    def is_main(self) -> bool:
        """Whether the package makes a program."""
        return self.name == "main"

    @property
    def uses_cgo(self) -> bool:
        """Whether the cgo tool has to run."""
        return bool(self.cgo_files)

    @property
    def from_command_line_files(self) -> bool:
        """Whether the package was named by its files, as in `go build main.go`."""
        return self.import_path == "command-line-arguments"


LISTED_FIELDS = tuple(field for field in Package.__struct_fields__ if field != "deps")
"""What is asked of `go list`; `Deps` is left out: its size is quadratic."""
LIST_FIELDS = ",".join(_go_name(field) for field in LISTED_FIELDS)
"""The same for `go list -json=`."""

_decode_all = msgspec.json.Decoder(list[Package]).decode
_decode_modules = msgspec.json.Decoder(list[Module]).decode


def parse_list_output(text: bytes) -> list[Package]:
    """Decode what `go list -json` printed: objects one after the other, each closed at column 0."""
    return _decode_all(_as_array(text))


def parse_modules(text: bytes) -> list[Module]:
    """The same of `go list -m -json`."""
    return _decode_modules(_as_array(text))


def _as_array(objects: bytes) -> bytes:
    return b"[" + objects.rstrip().replace(b"\n}\n{", b"\n},\n{") + b"]"
