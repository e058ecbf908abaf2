"""Features of worlds that need no C compiler. In the texts, `@` is a number and NAME the package."""

from __future__ import annotations

from collections.abc import Callable

from .modcache import cached
from .piece import APP, MODULE, Draw, Piece
from .profiles import profile
from .tree import Entry, File, Folder, Link

PLAIN = 'package NAME\n\nvar Value = @\n\nfunc Show() { println("NAME", Value, twice(@)) }\n'
MORE = "package NAME\n\nfunc twice(v int) int { return 2*v + @ }\n"


def plain(draw: Draw) -> Piece:
    """Two files of Go, one perhaps with a name that generators use."""
    more = draw.rng.choice(["more.go", "zz_generated.deepcopy.go", "NAME.pb.go", "more_linux.go", "a.b.go"])
    return draw.package({"show.go": PLAIN, more.replace("NAME", draw.name): MORE})


def tags(draw: Draw) -> Piece:
    """Files that constraints and names keep out and in."""
    files: dict[str, str | Entry] = {
        "show.go": PLAIN,
        "more.go": MORE,
        "on_linux.go": "package NAME\n\nfunc init() { Value += @ }\n",
        "on_windows.go": "package NAME\n\nfunc init() { Value += @ }\n",
        "ignored.go": "//go:build ignore\n\npackage NAME\n\nfunc init() { Value += @ }\n",
        "extra.go": "//go:build extra && !never\n\npackage NAME\n\nfunc init() { Value += @ }\n",
        "plain_test.go": "package NAME\n\nfunc init() { Value += @ }\n",
        "_under.go": "package NAME\n\nfunc init() { Value += @ }\n",
        ".dot.go": "package NAME\n\nfunc init() { Value += @ }\n",
        "testdata/t.go": "package t\n\nvar X = @\n",
        "README.md": "About NAME, @.\n",
    }
    kept = {
        path: text
        for path, text in files.items()
        if path in ("show.go", "more.go") or draw.rng.random() < 0.6
    }
    return draw.package(kept)


EMBED = """package NAME

import "embed"

IMPORTS
var Value = @

func walk(files embed.FS, folder string) {
	entries, _ := files.ReadDir(folder)
	for _, entry := range entries {
		path := entry.Name()
		if folder != "." {
			path = folder + "/" + path
		}
		if entry.IsDir() {
			walk(files, path)
			continue
		}
		text, _ := files.ReadFile(path)
		println(path, string(text))
	}
}

func Show() { walk(files, ".") }
"""


def embed_folder(draw: Draw) -> Piece:
    """An embed.FS of folders, globs, or all: of a folder."""
    pattern = draw.rng.choice(
        ["files", "all:files", "files/*", "files/*.txt files/sub", "files/sub", "*.txt files", "files/[a-m]*"]
    )
    declaration = f"//go:embed {pattern}\nvar files embed.FS\n"
    return draw.package(
        {
            "show.go": EMBED.replace("IMPORTS", declaration),
            "top.txt": "top @\n",
            "files/a.txt": "a @\n",
            "files/.hidden": "hidden @\n",
            "files/_under": "under @\n",
            "files/sub/b.txt": "b @\n",
            "files/sub/deep/c.bin": "c @\n",
            "files/sub/empty": Folder(),
        }
    )


def embed_text(draw: Draw) -> Piece:
    """A string and bytes that are embedded."""
    return draw.package(
        {
            "show.go": 'package NAME\n\nimport _ "embed"\n\nvar Value = @\n\n'
            "//go:embed text.txt\nvar text string\n\n//go:embed data/raw.bin\nvar raw []byte\n\n"
            "func Show() { println(text, len(raw), string(raw)) }\n",
            "text.txt": "text @\n",
            "data/raw.bin": "raw @\n",
        }
    )


def assembly(draw: Draw) -> Piece:
    """Go's assembly, which includes files of its own and of other folders."""
    header, text = draw.rng.choice(
        [
            ("NAME/local.h", '#include "local.h"\n'),
            ("asmshared.h", '#include "../asmshared.h"\n'),
            ("NAME/inc/deep.h", '#include "inc/deep.h"\n'),
        ]
    )
    files: dict[str, str | Entry] = {
        "show.go": "package NAME\n\nvar Value = @\n\nfunc Number() int\n\n"
        'func Show() { println("NAME", Number(), Value) }\n',
        "number_amd64.s": '#include "textflag.h"\n' + text + "\n"
        "TEXT ·Number(SB), NOSPLIT, $0-8\n\tMOVQ $(NUMBER+@), ret+0(FP)\n\tRET\n",
        "number_arm64.s": "this is not looked at\n",
    }
    piece = draw.package(files)
    made: dict[str, Entry] = {f"{APP}/{header.replace('NAME', draw.name)}": draw.fill("#define NUMBER @\n")}
    return Piece({**made, **piece.files}, piece.imports)


def internal(draw: Draw) -> Piece:
    """A package below internal/."""
    piece = draw.package(
        {
            "show.go": f'package NAME\n\nimport "{MODULE}/{draw.name}/internal/deep"\n\n'
            "var Value = deep.Value\n\nfunc Show() { println(Value, @) }\n",
            "internal/deep/deep.go": "package deep\n\nconst Value = @\n",
        }
    )
    return piece


def linked(draw: Draw) -> Piece:
    """Sources that are links to files elsewhere, and a link that leads nowhere."""
    elsewhere = f"elsewhere/{draw.name}"
    piece = draw.package(
        {
            "show.go": Link(f"../../{elsewhere}/one.go"),
            "more.go": Link(f"../../{elsewhere}/two.go"),
            ".#more.go": Link("nowhere"),
        }
    )
    made = {f"{elsewhere}/one.go": draw.fill(PLAIN), f"{elsewhere}/two.go": draw.fill(MORE)}
    made[f"{elsewhere}/other.go"] = draw.fill(MORE)
    return Piece({**made, **piece.files}, piece.imports)


def nested(draw: Draw) -> Piece:
    """A package with another module in a folder of it, and one without Go files between."""
    return draw.package(
        {
            "between/below/show.go": PLAIN.replace("NAME", "below"),
            "between/below/more.go": MORE.replace("NAME", "below"),
            "show.go": f'package NAME\n\nimport "{MODULE}/{draw.name}/between/below"\n\nvar Value = @\n\n'
            "func Show() { below.Show() }\n",
            "other/go.mod": "module example.com/other\n\ngo 1.26\n",
            "other/other.go": "package other\n\nvar X = @\n",
        }
    )


def replaced(draw: Draw) -> Piece:
    """A module that lies in a folder outside, with one that asks for it as well."""
    name = draw.name
    made = {
        f"outside/{name}/go.mod": draw.fill(f"module example.com/{name}\n\ngo 1.26\n"),
        f"outside/{name}/show.go": draw.fill(PLAIN),
        f"outside/{name}/more.go": draw.fill(MORE),
        f"outside/{name}/part/part.go": draw.fill("package part\n\nvar Value = @\n"),
        f"outside/{name}2/go.mod": draw.fill(f"module example.com/{name}\n\ngo 1.26\n"),
        f"outside/{name}2/show.go": draw.fill(PLAIN),
        f"outside/{name}2/more.go": draw.fill(MORE),
    }
    lines = (f"require example.com/{name} v1.0.0", f"replace example.com/{name} => ../outside/{name}")
    return Piece(made, (f"example.com/{name}",), module_lines=lines)


def workspace(draw: Draw) -> Piece:
    """A second module that a go.work takes in."""
    name = draw.name
    made = {
        "go.work": File(f"go 1.26\n\nuse (\n\t./{APP}\n\t./{name}\n)\n".encode()),
        f"{name}/go.mod": File(f"module example.com/{name}\n\ngo 1.26\n".encode()),
        f"{name}/show.go": draw.fill(PLAIN),
        f"{name}/more.go": draw.fill(MORE),
    }
    return Piece(made, (f"example.com/{name}",))


def vendored(draw: Draw) -> Piece:
    """A module that is only in vendor/."""
    name = draw.name
    made = {
        f"{APP}/vendor/modules.txt": File(
            f"# example.com/{name} v1.0.0\n## explicit; go 1.26\nexample.com/{name}\n".encode()
        ),
        f"{APP}/vendor/example.com/{name}/show.go": draw.fill(PLAIN),
        f"{APP}/vendor/example.com/{name}/more.go": draw.fill(MORE),
    }
    return Piece(made, (f"example.com/{name}",), module_lines=(f"require example.com/{name} v1.0.0",))


def versioned(draw: Draw) -> Piece:
    """A module of two versions in a module cache that may be written to."""
    name, made, sums = draw.name, {}, []
    for version in ("v1.0.0", "v1.1.0"):
        texts = {"go.mod": f"module example.com/{name}\n\ngo 1.26\n", "show.go": PLAIN, "more.go": MORE}
        files = {
            path: entry.content for path, text in texts.items() if isinstance(entry := draw.fill(text), File)
        }
        entries, lines = cached(f"example.com/{name}", version, files)
        made.update(entries)
        sums += lines
    return Piece(
        made,
        (f"example.com/{name}",),
        module_lines=(f"require example.com/{name} v1.0.0",),
        sum_lines=tuple(sums),
        variables={"GOMODCACHE": "{root}/modcache", "GOFLAGS": "-modcacherw", "GONOSUMDB": "*"},
    )


def guided(draw: Draw) -> Piece:
    """A default.pgo that names functions of the program."""
    return Piece({f"{APP}/default.pgo": File(profile(draw.rng.randint(0, 1)))})


def debugged(draw: Draw) -> Piece:
    """GODEBUG settings in go.mod and in main."""
    made = {f"{APP}/debug.go": draw.fill("//go:debug panicnil=1\n\npackage main\n")}
    return Piece(made, module_lines=draw.rng.choice([(), ("godebug tlsmlkem=0",)]))


GO_FEATURES: dict[str, Callable[[Draw], Piece]] = {
    function.__name__: function
    for function in (
        plain, tags, embed_folder, embed_text, assembly, internal, linked, nested, replaced, workspace,
        vendored, versioned, guided, debugged,
    )
}  # fmt: skip
