"""The actions of a plan, as frozen records: what each one makes, out of what. Pure.

A spec holds whatever can change the action's output and nothing else: no folder, no time, no node. The
places where files lie are in `Sources`, which no key sees.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import msgspec

from luigigo.encoding import Codec
from luigigo.golang.toolchain import Toolchain
from luigigo.model import ActionId, ActionKey, Digest, ImportPath, Output


class Kind(str, Enum):
    """What an action does."""

    PREPROFILE = "preprofile"
    """Turn a CPU profile into the form that the compiler reads. Makes `profile`."""
    CGO = "cgo"
    """Run cgo and the C compiler; needs no other action. Makes `bundle`."""
    COMPILE = "compile"
    """Compile and assemble one package. Makes `export`, which importers read, and `object`."""
    LINK = "link"
    """Link one program. Makes `binary`."""


class SourceFile(msgspec.Struct, frozen=True, array_like=True):
    """One input file: its name relative to the package's folder, and the digest of its content."""

    name: str
    digest: Digest


Files: TypeAlias = tuple[SourceFile, ...]


class CompileSpec(msgspec.Struct, frozen=True, tag="compile"):
    """How one package is compiled (cmd/go/internal/work/gc.go)."""

    import_path: ImportPath
    trim_to: str
    """What the package's folder is called inside the outputs."""
    compile_flags: tuple[str, ...]
    """Without -c, paths and file names."""
    asm_flags: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    go_files: Files
    s_files: Files = ()
    h_files: Files = ()
    syso_files: Files = ()
    embed_files: Files = ()
    embed_patterns: tuple[str, ...] = ()
    import_map: tuple[tuple[str, str], ...] = ()
    goos: str = ""
    goarch: str = ""
    has_excluded: bool = False
    """Of a package without Go files: whether build constraints keep some out, which its error says."""
    included: Files = ()
    """What assembly includes besides, by its names from the package's folder, which may lead out of it."""
    bound_to: str = ""
    """The package's folder, when they do: the assembler calls code there by its whole path, also under
    -trimpath, and then checkouts cannot share the outputs."""
    untold: str = ""
    """As `CgoSpec.untold`."""


class CToolchain(msgspec.Struct, frozen=True):
    """The C compilers, as argument lists, with the flags that they were found to take."""

    cc: tuple[str, ...]
    cxx: tuple[str, ...]
    identity: Digest
    """Digest of the drivers and of the programs that they call."""
    cc_flags: tuple[str, ...]
    """What every C command gets, besides folders and the work folder's prefix map."""
    cxx_flags: tuple[str, ...]
    prefix_map_flag: str
    """`-ffile-prefix-map`, or the older `-fdebug-prefix-map`, or "" when there is neither."""
    random_seed: bool
    environment: tuple[tuple[str, str], ...]
    """Variables that the C compiler and linker obey, such as CPATH, as the user has set them."""
    everything: str = ""
    """Set for a program that luigigo does not know, such as a script, which may read any variable: the
    digest of all that the user has set. What it makes is made where that user is."""


class CgoSpec(msgspec.Struct, frozen=True, tag="cgo"):
    """How the C part of one package is built (cmd/go/internal/work/exec.go, runCgo)."""

    import_path: ImportPath
    package_name: str
    cgo_flags: tuple[str, ...]
    cpp_flags: tuple[str, ...]
    c_flags: tuple[str, ...]
    cxx_flags: tuple[str, ...]
    ld_flags: tuple[str, ...]
    prefer_external: bool
    map_root_to: str
    """What the module's (or GOROOT's) folder is called inside the objects."""
    dynimport_flags: tuple[str, ...]
    compilers: CToolchain
    environment: tuple[tuple[str, str], ...]
    cgo_files: Files
    c_files: Files = ()
    cxx_files: Files = ()
    s_files: Files = ()
    h_files: Files = ()
    syso_files: Files = ()
    """Of the package and all that it imports: they take part in the test link."""
    units: Files = ()
    """Each unit's preprocessed text, by name: what of all headers there are the compiler gets to see."""
    commands: str = ""
    """Digest of what the compiler says that it runs: argument files, specs and the machine's own processor
    are resolved in it."""
    assembled: Files = ()
    """What the assembler reads besides the units, by absolute path (`.incbin`)."""
    libraries: Files = ()
    """What the linker reads for this package's own flags in the test link, by absolute path."""
    untold: str = ""
    """Why no tool can tell all that is read, with a word that no other plan has: it runs again each time."""
    bound_to: str = ""
    """The source folder, when flags name it (`${SRCDIR}`): then checkouts cannot share the outputs."""


class LinkSpec(msgspec.Struct, frozen=True, tag="link"):
    """How one program is linked (cmd/go/internal/work/gc.go, ld)."""

    import_path: ImportPath
    link_flags: tuple[str, ...]
    modinfo: str
    environment: tuple[tuple[str, str], ...]
    compilers: Digest | None = None
    """Identity of the C toolchain, for a program that may be linked by it."""
    linker: Digest | None = None
    """Identity of the program that links, which `-extld` may have named."""
    libraries: Files = ()
    """What the C linker reads besides the program's objects, by absolute path."""
    untold: str = ""
    """As `CgoSpec.untold`."""


class PreprofileSpec(msgspec.Struct, frozen=True, tag="preprofile"):
    """Which CPU profile is prepared."""

    profile: SourceFile


Spec: TypeAlias = CompileSpec | CgoSpec | LinkSpec | PreprofileSpec


class Sources(msgspec.Struct, frozen=True):
    """Where an action's input files lie on this node."""

    dir: str = ""
    """The package's folder; `GOROOT` at its start stands for the toolchain's own."""
    root: str = ""
    """The folder above `dir` that holds all the files, when some lie outside of `dir`; `/` when they lie
    outside of the module, too: such an action stays where it is."""
    map_root: str = ""
    """The folder that `CgoSpec.map_root_to` stands for; the package lies in it or is it."""
    syso_paths: tuple[str, ...] = ()
    profile_path: str = ""
    system_files: Files = ()
    """What C compilers and linkers read outside of the package, by absolute path; another node has to have
    the same."""
    go_bytes: int = 0
    """Size of the Go source, from which time and memory are predicted."""
    bundle: Output | None = None
    """The files as one bundle in the store, where only the share reaches the node."""
    local_only: str = ""
    """Why this node leaves the action to its client (`localonly`); only said after a plan was read."""


def is_toolchains(folder: str) -> bool:
    """Whether a folder of a plan is the toolchain's own, which lies elsewhere on each node."""
    return folder == "GOROOT" or folder.startswith("GOROOT/")


def on_node(folder: str, goroot: str) -> str:
    """A folder of a plan on this node: GOROOT lies elsewhere on each."""
    return goroot + folder.removeprefix("GOROOT") if is_toolchains(folder) else folder


class Action(msgspec.Struct, frozen=True):
    """One node of the plan: its key is known before anything runs."""

    id: ActionId
    kind: Kind
    package: ImportPath
    label: str
    """How messages call it: the import path, with the program in brackets for a variant."""
    key: ActionKey
    own_digest: Digest
    """Digest of the tools and the spec, without the dependencies."""
    spec: Spec
    sources: Sources
    imports: tuple[tuple[ImportPath, ActionId], ...] = ()
    """The packages that it reads: direct imports of a compile, everything of a link."""
    cgo: ActionId | None = None
    profile: ActionId | None = None

    @property
    def is_untold(self) -> bool:
        """Whether it reads something that no tool tells of: its result is never taken for another's."""
        return bool(getattr(self.spec, "untold", ""))

    @property
    def dependencies(self) -> tuple[ActionId, ...]:
        """Every action that has to be done first."""
        extra = tuple(dependency for dependency in (self.cgo, self.profile) if dependency is not None)
        return tuple(action for _, action in self.imports) + extra


class Root(msgspec.Struct, frozen=True):
    """A package that the user named, and the action that ends its build."""

    action: ActionId
    package: ImportPath
    executable: str
    """The program's default file name; "" for a package that is no program."""


class Plan(msgspec.Struct, frozen=True):
    """Everything that has to be done for one build; any node with the toolchain can run any action."""

    toolchain: Toolchain
    project_dir: str
    """Where the go command was run, and where go build runs the linker."""
    actions: dict[ActionId, Action]
    """Dependencies first."""
    roots: tuple[Root, ...]
    named_count: int = 1
    """How many packages were named, with those that nothing is done for."""
    built_count: int = 1
    """How many of them are built: with `unsafe`, and without those of tests alone that a wildcard found."""
    is_one_program: bool = False
    """Whether a file or folder for the output is for one program alone (-buildmode=exe)."""
    asm_takes_std: bool = False
    quoted_response_files: bool = True


plan_codec = Codec[Plan](msgspec.msgpack, Plan)
"""A plan as it lies in the store."""
