"""What the C compiler gets to see of a package: the preprocessed text of each unit. Runs the compiler.

That text is what a C compile depends on, exactly and whole; and the compiler itself tells the files behind
it. What an assembler reads besides (`.incbin`) GNU's tells as well. What none tells is `untold`.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Executor

import msgspec

from luigigo.footprint import Places
from luigigo.golang import cgo, cincludes
from luigigo.golang.actions import CgoSpec, SourceFile
from luigigo.golang.answers import Answers, answer_codec
from luigigo.golang.compile import Layout
from luigigo.golang.namedfiles import NamedFiles, named_files
from luigigo.golang.preambles import has_exports, preamble_of
from luigigo.model import Digest, digest_of
from luigigo.process import Command, Finished, Runner

_GENERATED_INCLUDES = re.compile(rb"^#include (<[^>\n]+>)", re.MULTILINE)
_TEMPORARY = re.compile(rb"\S*/cc\w{6}(?=\.)|\S*/-?\w*-[0-9a-f]{6}(?=\.[so])")


class Units(msgspec.Struct, frozen=True):
    """What the compiler sees of one package's C."""

    texts: tuple[SourceFile, ...]
    """Digest of each unit's text, by the unit's name."""
    commands: Digest
    """Digest of the programs and arguments that the compiler says it runs."""
    read: tuple[str, ...]
    """Absolute paths of all files that were read, but for the package's own."""
    assembled: tuple[str, ...]
    """Those that only the assembler read."""
    places: Places
    """What the answer rests on."""
    untold: str = ""
    """Why that is not all."""


_codec = answer_codec(Units)


class _Unit(msgspec.Struct, frozen=True):
    """One text of a package for the preprocessor."""

    name: str
    path: str
    """`-` for a text that is not in a file."""
    is_cxx: bool = False
    text: bytes = b""


class _Seen(msgspec.Struct, frozen=True):
    """One unit, preprocessed."""

    text: SourceFile
    read: frozenset[str]
    searched: frozenset[str]
    assembled: frozenset[str] = frozenset()
    untold: str = ""


class UnitReader:
    """Asks the C compilers about the packages of one build. Safe for threads."""

    def __init__(
        self, runner: Runner, answers: Answers, scratch_dir: str, variables: Mapping[str, str], goroot: str
    ) -> None:
        self._runner = runner
        self._answers = answers
        self._scratch_dir = scratch_dir
        self._variables = english(variables)
        self._goroot = goroot
        self._commands: dict[tuple[str, ...], bytes] = {}
        self._prologue: bytes | None = None

    def units(self, spec: CgoSpec, source_dir: str, map_root: str, threads: Executor) -> Units:
        """What the compiler sees of a package in `source_dir`. What it says of errors shows when it compiles.

        `map_root` is the folder whose name objects do not have.
        """
        started_ns = time.time_ns()
        locale = [self._variables.get(name, "") for name in ("LANG", "LC_CTYPE", "PATH")]
        key = digest_of("units", spec, source_dir, map_root, locale)
        kept = self._answers.recall(key, _codec)
        if kept is not None:
            return kept
        named = named_files((*spec.cpp_flags, *spec.c_flags, *spec.cxx_flags), source_dir)
        with tempfile.TemporaryDirectory(dir=self._scratch_dir) as scratch:
            asking = _Asking(self._runner, self._variables, spec, (source_dir, map_root), scratch)
            units = asking.units(self._generated_includes())
            seen = list(threads.map(asking.see, units))
            commands = asking.commands()
        answer = _answer(seen, commands, named, spec, source_dir)
        if not answer.untold:
            self._answers.keep(key, answer, answer.places, started_ns, _codec)
        return answer

    def _generated_includes(self) -> bytes:
        """What generated C files include besides, as the cgo tool's own source has it."""
        if self._prologue is None:
            names: dict[bytes, None] = {}
            for path in sorted(glob.glob(os.path.join(glob.escape(self._goroot), "src/cmd/cgo/*.go"))):
                with open(path, "rb") as file:
                    names.update(dict.fromkeys(_GENERATED_INCLUDES.findall(file.read())))
            asked = b"".join(b"#if __has_include(%s)\n#include %s\n#endif\n" % (name, name) for name in names)
            self._prologue = b"#ifdef __has_include\n" + asked + b"#endif\n"
        return self._prologue


class _Asking:
    """The questions about one package."""

    def __init__(
        self,
        runner: Runner,
        variables: Mapping[str, str],
        spec: CgoSpec,
        folders: tuple[str, str],
        scratch: str,
    ) -> None:
        """`folders`: the package's, and the one whose name objects do not have."""
        source_dir, map_root = folders
        self._runner, self._variables, self._spec = runner, variables, spec
        self._root = (map_root, spec.map_root_to)
        self._scratch = scratch
        self._generated = os.path.join(scratch, "generated")
        os.mkdir(self._generated)
        self._layout = Layout(tool_dir="", goroot="", source_dir=source_dir, object_dir=self._generated)

    def units(self, generated_includes: bytes) -> list[_Unit]:
        """The C text of each Go file, and each file that goes to the C compiler."""
        spec, found, exported = self._spec, [], b""
        for file in spec.cgo_files:
            with open(self._layout.source(file.name), "rb") as go_file:
                source = go_file.read()
            preamble = preamble_of(source)
            exported += preamble if has_exports(source) else b""
            found.append(_Unit(file.name, "-", text=preamble + b"\n" + generated_includes))
        for names, is_cxx in ((spec.c_files, False), (spec.s_files, False), (spec.cxx_files, True)):
            found += [_Unit(file.name, self._layout.source(file.name), is_cxx) for file in names]
        # The cgo tool will write it, with the C text of the files that export functions.
        with open(os.path.join(self._generated, "_cgo_export.h"), "wb") as header:
            header.write(exported + b"\n" + generated_includes)
        return found

    def see(self, unit: _Unit) -> _Seen:
        """Preprocess one unit, and have it assembled where that may read more."""
        rule = os.path.join(self._scratch, digest_of(unit.name)[:16])
        argv = cgo.preprocess_argv(self._spec, self._layout, self._root, (unit.path, unit.is_cxx), rule)
        finished = self._run(argv, unit)
        text = finished.output
        if unit.path.endswith(".s"):
            # Not preprocessed, and the assembler reads it as it is.
            text = _content(unit.path)
        places = ((self._generated, b"<generated>"), (self._root[0], b"<root>"))
        digest = hashlib.sha256(cincludes.without_places(text, places))
        digest.update(b"%d" % finished.exit_code)
        # They are told with the result, whoever it is taken from.
        digest.update(cincludes.diagnostics(finished.stderr, places))
        read = self._read_files(rule)
        untold = ""
        if finished.exit_code != 0 or not (os.path.exists(rule) or unit.path.endswith(".s")):
            untold = f"the preprocessor does not tell what {unit.name} reads"
        elif self._has_time(argv, unit, finished.output, read):
            untold = f"{unit.name} has the time of its compilation in it"
        searched = cincludes.searched_folders(os.fsdecode(finished.stderr))
        seen = _Seen(
            SourceFile(unit.name, Digest(digest.hexdigest())),
            read,
            frozenset(folder for folder in searched if not folder.startswith(self._scratch + "/")),
            untold=untold,
        )
        return self._assemble(unit, rule + ".s", seen) if cincludes.may_read_more(text) else seen

    def _has_time(self, argv: tuple[str, ...], unit: _Unit, text: bytes, read: frozenset[str]) -> bool:
        """Whether another time would make another text; compilers take the time from SOURCE_DATE_EPOCH."""
        if "SOURCE_DATE_EPOCH" in self._variables:
            return False
        sources = (unit.text, *map(_content, read))
        if not any(word in source for source in sources for word in (b"__DATE__", b"__TIME__")):
            return False
        return self._run(argv, unit, {"SOURCE_DATE_EPOCH": "1"}).output != text

    def _assemble(self, unit: _Unit, rule: str, seen: _Seen) -> _Seen:
        argv = cgo.assemble_argv(self._spec, self._layout, self._root, (unit.path, unit.is_cxx), rule)
        finished = self._run(argv, unit)
        if finished.exit_code != 0 or not os.path.exists(rule):
            return msgspec.structs.replace(seen, untold=f"the assembler does not tell what {unit.name} reads")
        own = self._layout.source(unit.name)
        # What the compiler wrote for the assembler is gone by now.
        found = {path for path in self._read_files(rule) if os.path.exists(path) and path != own}
        return msgspec.structs.replace(seen, assembled=frozenset(found))

    def commands(self) -> bytes:
        """What the compilers say that they run, without the names of temporary files."""
        said = b""
        for is_cxx in (False, True) if self._spec.cxx_files else (False,):
            finished = self._run(cgo.show_argv(self._spec, cxx=is_cxx), _Unit("", "/dev/null"))
            output = finished.output + finished.stderr
            folder = re.compile(
                rb"(-f[a-z]+-compilation-dir=)" + re.escape(os.fsencode(self._layout.source_dir))
            )
            said += folder.sub(rb"\1", _TEMPORARY.sub(b"<temporary>", output))
        return said

    def _read_files(self, rule: str) -> frozenset[str]:
        text = _content(rule).decode(errors="surrogateescape")
        found = cincludes.read_files(text, self._layout.source_dir)
        return frozenset(path for path in found if not path.startswith(self._scratch + "/"))

    def _run(
        self, argv: tuple[str, ...], unit: _Unit, variables: Mapping[str, str] | None = None
    ) -> Finished:
        folder = self._layout.source_dir
        env = {**self._variables, "PWD": folder, "TERM": "dumb", **(variables or {})}
        return self._runner.run(Command(argv, folder, env, stdin=unit.text, separate_stderr=True))


def _answer(seen: list[_Seen], commands: bytes, named: NamedFiles, spec: CgoSpec, source_dir: str) -> Units:
    own = {os.path.join(source_dir, file.name) for file in (*spec.c_files, *spec.cxx_files, *spec.s_files)}
    own |= {os.path.join(source_dir, file.name) for file in spec.h_files}
    assembled = {path for each in seen for path in each.assembled}
    read = {path for each in seen for path in each.read if os.path.isabs(path)} - own
    searched = {os.path.join(source_dir, folder) for each in seen for folder in each.searched}
    untold = next((each.untold for each in seen if each.untold), named.untold)
    asked = cincludes.asked_by_flags((*spec.cpp_flags, *spec.c_flags, *spec.cxx_flags))
    for path in sorted(read | own):
        asked |= cincludes.asked_names(_content(path))
    for file in spec.cgo_files:
        asked |= cincludes.asked_names(preamble_of(_content(os.path.join(source_dir, file.name))))
    if asked.unknown:
        untold = untold or f"nothing tells for which header {asked.unknown} stands"
    folders = cincludes.looked_into(sorted(read | own), sorted(searched), sorted(asked.headers))
    commands_digest = Digest(hashlib.sha256(commands).hexdigest())
    return Units(
        texts=tuple(each.text for each in seen),
        commands=commands_digest,
        read=tuple(sorted(read | set(named.files))),
        assembled=tuple(sorted(assembled)),
        places=Places(
            files=tuple(sorted(read | assembled | set(named.files))),
            listings=tuple(sorted({*folders, *(os.path.dirname(path) for path in assembled)})),
        ),
        untold=untold,
    )


def english(variables: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, in which programs speak English and read text as the user's locale has it."""
    env = {name: value for name, value in variables.items() if name not in ("LC_ALL", "LANGUAGE")}
    if variables.get("LC_ALL"):
        env["LC_CTYPE"] = variables["LC_ALL"]
    return {**env, "LC_MESSAGES": "C"}


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
