"""Edits that mean something to Go or to the C compiler: constraints, embeds, headers, modules."""

from __future__ import annotations

import posixpath
import re

from .draws import GO, HEADERS, Editing, another_number, is_cached
from .piece import APP
from .profiles import profile
from .tree import File, MakeFolder, Operation, Remove, Rename, Write

_CONSTRAINT = re.compile(rb"\A//go:build [^\n]*\n\n")
_CONSTRAINTS = (
    "ignore",
    "extra",
    "!extra",
    "linux",
    "windows",
    "cgo",
    "!cgo",
    "go1.26",
    "go1.99",
    "amd64.v3",
    "gc",
)
_FILE_NAMES = (
    "new.go", "new_linux.go", "new_windows.go", "new_test.go", "_new.go", ".new.go", "new_amd64.go",
    "zz.gen.go", "New.go", "new_unix.go", "new_linux_amd64.go", "linux.go",
)  # fmt: skip


def constraint(editing: Editing) -> list[Operation] | None:
    """Put a build constraint in, or take it out."""
    path = editing.one_of(editing.files(*GO, ".c", ".h", ".s"))
    if not path:
        return None
    content = editing.content(path)
    if _CONSTRAINT.match(content) and editing.rng.random() < 0.7:
        return [editing.overwrite(path, _CONSTRAINT.sub(b"", content))]
    line = f"//go:build {editing.rng.choice(_CONSTRAINTS)}\n\n".encode()
    return [editing.overwrite(path, line + _CONSTRAINT.sub(b"", content))]


def new_go_file(editing: Editing) -> list[Operation] | None:
    """A Go file more in some package, with C text where the package has some."""
    folder = editing.one_of(editing.packages())
    if not folder:
        return None
    name = editing.package_name(folder)
    text = f"package {name}\n\nfunc init() {{ println({editing.number()}) }}\n"
    kind = editing.rng.random()
    if kind < 0.15 and any(
        'import "C"' in editing.content(p).decode(errors="replace") for p in editing.files(*GO)
    ):
        text = f"package {name}\n\n// static int more(void) {{ return {editing.number()}; }}\n"
        text += 'import "C"\n\nfunc init() { println(C.more()) }\n'
    elif kind < 0.25:
        text = f"package other{editing.number()}\n"
    elif kind < 0.35:
        text = f"//go:debug panicnil={editing.rng.choice([0, 1])}\n\npackage {name}\n"
    return [editing.overwrite(f"{folder}/{editing.rng.choice(_FILE_NAMES)}", text.encode())]


def new_other_file(editing: Editing) -> list[Operation] | None:
    """A file of another language more in some package."""
    folder = editing.one_of(editing.packages())
    name, text = editing.rng.choice(
        [
            ("more.c", "int more_@(void) { return @; }\n"),
            ("more.h", "#define MORE @\n"),
            ("more_windows.c", "int more_@(void) { return @; }\n"),
            ("more.cpp", "int more_@(void) { return @; }\n"),
            (
                "more_amd64.s",
                '#include "textflag.h"\n\nDATA more<>+0(SB)/8, $@\nGLOBL more<>(SB), RODATA, $8\n',
            ),
            ("more.cc.bak", "not looked at @\n"),
            ("_more.c", "int more_@(void) { return @; }\n"),
        ]
    )
    return (
        [editing.overwrite(f"{folder}/{name}", text.replace("@", str(editing.number())).encode())]
        if folder
        else None
    )


def embedded(editing: Editing) -> list[Operation] | None:
    """A file more in an embedded folder: hidden, called like the output, in a new or an empty folder."""
    folders = sorted(
        folder for folder in editing.folders() if re.search(r"/(files|data|sub|deep|empty|lib)(/|$)", folder)
    )
    folder = editing.one_of(folders)
    if not folder:
        return None
    output = posixpath.basename(editing.state.output)
    name = editing.rng.choice(
        ["b.txt", ".new", "_new", output, "n/x.txt", ".git/x", "go.mod", "x y.txt", "z", "m.bin", "deep/.h"]
    )
    return [editing.overwrite(f"{folder}/{name}", f"new {editing.number()}\n".encode())]


def embed_directive(editing: Editing) -> list[Operation] | None:
    """Another pattern behind //go:embed."""
    path = editing.one_of(p for p in editing.files(*GO) if b"//go:embed files" in editing.content(p))
    if not path:
        return None
    pattern = editing.rng.choice(
        ["files", "all:files", "files/*", "files/sub", "files/*.txt", "files/a.txt", "files/no*"]
    )
    changed = re.sub(rb"//go:embed [^\n]*", f"//go:embed {pattern}".encode(), editing.content(path))
    return [editing.overwrite(path, changed)]


def new_header(editing: Editing) -> list[Operation] | None:
    """A header of a name that is included or asked for, in a folder that may be searched earlier."""
    name, folder = editing.one_of(editing.included_names()), None
    if name:
        near = {posixpath.dirname(p) for p in editing.files(*HEADERS, ".c", ".S", ".cpp", ".s")}
        probed = {
            f
            for f in editing.folders()
            if f.endswith(("/first", "/opt", "/probed", "/inc", "site/one", "site/none"))
        }
        folder = editing.one_of(sorted(near | probed))
    if not name or not folder:
        return None
    name = name if editing.rng.random() < 0.4 else posixpath.basename(name)
    text = f"#undef NUMBER\n#define NUMBER {editing.number()}\n"
    return [editing.overwrite(posixpath.normpath(f"{folder}/{name}"), text.encode())]


def include(editing: Editing) -> list[Operation] | None:
    """A header or C file begins to include another, or ceases to."""
    path = editing.one_of(editing.files(*HEADERS, ".c", ".cpp", ".s", ".S"))
    names = editing.included_names()
    if not path or not names:
        return None
    content = editing.content(path)
    if b"#include" in content and editing.rng.random() < 0.4:
        return [editing.overwrite(path, re.sub(rb"#include [^\n]*\n", b"", content, count=1))]
    name = editing.rng.choice(names)
    if path.endswith(HEADERS) and editing.rng.random() < 0.6:
        made = posixpath.join(posixpath.dirname(path), f"chained{editing.number()}.h")
        defined = f"#undef NUMBER\n#define NUMBER {editing.number()}\n".encode()
        line = f'#include "{posixpath.basename(made)}"\n'.encode()
        return [editing.overwrite(made, defined), editing.overwrite(path, content + line)]
    return [editing.overwrite(path, f'#include "{name}"\n'.encode() + content)]


def library(editing: Editing) -> list[Operation] | None:
    """A library or object is built anew."""
    path = editing.one_of(editing.files(".a", ".syso"))
    if not path:
        return None
    pool = editing.blobs.libraries if path.endswith(".a") else editing.blobs.objects
    return [editing.overwrite(path, editing.rng.choice([b for b in pool if b != editing.content(path)]))]


def new_import(editing: Editing) -> list[Operation] | None:
    """A package imports another one of the module, or the standard library's."""
    folder = editing.one_of(editing.packages())
    if not folder:
        return None
    other = editing.rng.choice(
        ["errors", "unicode/utf8", "sync/atomic", "internal/cpu", "C", "example.com/missing"]
    )
    inner = [p for p in editing.packages() if p.startswith(f"{APP}/") and p != folder]
    if inner and editing.rng.random() < 0.6:
        other = "example.com/w/" + editing.rng.choice(inner).removeprefix(f"{APP}/")
    text = f'package {editing.package_name(folder)}\n\nimport _ "{other}"\n'
    return [editing.overwrite(f"{folder}/import.go", text.encode())]


def module_line(editing: Editing) -> list[Operation] | None:
    """Another line, or one less, in a go.mod or go.work."""
    path = editing.one_of(editing.files("go.mod", "go.work"))
    if not path:
        return None
    content = editing.content(path).decode()
    lines = content.splitlines(keepends=True)
    choice = editing.rng.random()
    if choice < 0.35:
        version = editing.rng.choice(["1.21", "1.22", "1.24", "1.25.1", "1.26", "1.27", "1.99"])
        changed = re.sub(r"(?m)^go .*$", f"go {version}", content)
    elif choice < 0.6 and len(lines) > 1:
        dropped = editing.rng.randrange(1, len(lines))
        changed = "".join(line for index, line in enumerate(lines) if index != dropped)
    elif choice < 0.75 and re.search(r"=> \.\./outside/\w+", content):
        changed = re.sub(
            r"(=> \.\./outside/[a-z]+\d)(2?)$", lambda m: m[1] + ("" if m[2] else "2"), content, flags=re.M
        )
    else:
        line = editing.rng.choice(
            [
                "godebug panicnil=1",
                "godebug default=go1.23",
                "godebug nonsense=1",
                "toolchain go1.26.0",
                "// a comment",
                "exclude example.com/x v1.0.0",
                "require example.com/absent v1.0.0",
                "retract v1.0.0",
                "ignore ./plain0",
            ]
        )
        changed = content + line + "\n"
    return [editing.overwrite(path, changed.encode())] if changed != content else None


def outside_asks(editing: Editing) -> list[Operation] | None:
    """The go.mod of a replaced or other module asks for something."""
    path = editing.one_of(p for p in editing.files("go.mod") if not p.startswith(f"{APP}/go.mod"))
    if not path:
        return None
    lines = ["require example.com/absent v1.0.0\n", "go 1.27\n", "godebug panicnil=1\n"]
    line = editing.rng.choice(
        [f"require example.com/{name} v1.1.0\n" for name in _versioned(editing)] or lines
    )
    content = editing.content(path)
    changed = (
        re.sub(rb"(?m)^go .*\n", line.encode(), content)
        if line.startswith("go ")
        else content + line.encode()
    )
    return [editing.overwrite(path, changed)]


def version(editing: Editing) -> list[Operation] | None:
    """A module asks for another version of a module that lies in the cache."""
    names = _versioned(editing)
    path = editing.one_of(
        p for p in editing.files("go.mod") if names and names[0].encode() in editing.content(p)
    )
    if not path:
        return None
    line = re.compile(rf"(example.com/{names[0]} v1)\.([01])\.0".encode())
    swapped = line.sub(lambda m: m[1] + (b".1.0" if m[2] == b"0" else b".0.0"), editing.content(path))
    return [editing.overwrite(path, swapped)] if swapped != editing.content(path) else None


def cached_module(editing: Editing) -> list[Operation] | None:
    """A file in a module cache that may be written to is edited."""
    path = editing.one_of(p for p in editing.tree if p.endswith(".go") and is_cached(p))
    changed = another_number(editing.rng, editing.content(path)) if path else None
    return [editing.overwrite(path, changed)] if path and changed else None


def _versioned(editing: Editing) -> list[str]:
    return sorted({m[1] for p in editing.tree if is_cached(p) and (m := re.search(r"/(\w+)@v1", p))})


def nested_module(editing: Editing) -> list[Operation] | None:
    """A go.mod appears in a folder of the module, or one goes away."""
    there = [p for p in editing.files("/go.mod") if p.count("/") >= 2 and p.startswith(f"{APP}/")]
    if there and editing.rng.random() < 0.4:
        return [Remove(editing.rng.choice(there))]
    folder = editing.one_of(f for f in editing.folders() if f.startswith(f"{APP}/"))
    return (
        [editing.overwrite(f"{folder}/go.mod", b"module example.com/within\n\ngo 1.26\n")] if folder else None
    )


def workspace(editing: Editing) -> list[Operation] | None:
    """A go.work comes, goes, or lies between."""
    path = editing.rng.choice(["go.work", f"{APP}/go.work"])
    if isinstance(editing.tree.get(path), File):
        return [Rename(path, f"{path}.off")]
    if isinstance(editing.tree.get(f"{path}.off"), File):
        return [Rename(f"{path}.off", path)]
    used = "./app" if path == "go.work" else "."
    extra = editing.rng.choice(["", "\ngodebug panicnil=1\n"])
    return [Write(path, f"go 1.27\n\nuse {used}\n{extra}".encode())]


def vendor(editing: Editing) -> list[Operation] | None:
    """The vendor folder goes away and comes back."""
    place = f"{APP}/vendor"
    if place in editing.tree:
        return [Rename(place, f"{APP}/_vendor")]
    if f"{APP}/_vendor" in editing.tree:
        return [Rename(f"{APP}/_vendor", place)]
    return [MakeFolder(place)] if editing.rng.random() < 0.3 else None


def guide(editing: Editing) -> list[Operation] | None:
    """Another profile, where there is one."""
    path = f"{APP}/default.pgo"
    return [editing.overwrite(path, profile(editing.rng.randint(0, 1)))] if path in editing.tree else None


def debug_line(editing: Editing) -> list[Operation] | None:
    """A //go:debug line in main, or none."""
    path = f"{APP}/main.go"
    content = re.sub(rb"\A(//go:debug [^\n]*\n)+\n", b"", editing.content(path))
    if not content:
        return None
    setting = editing.rng.choice(
        ["panicnil=1", "panicnil=0", "default=go1.24", "unknown=1", "madvdontneed=0"]
    )
    kept = content if editing.rng.random() < 0.3 else f"//go:debug {setting}\n\n".encode() + content
    return [editing.overwrite(path, kept)] if kept != editing.content(path) else None
