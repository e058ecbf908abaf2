"""Which files a C linker reads for given flags: archives, objects, scripts, start files. Runs a trial link.

GNU's ld tells each name that it tries and whether it was there (`--verbose`), and this and other linkers name
what they read in a make rule (`--dependency-file`). What neither tells is `untold`.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from luigigo.endings import ending
from luigigo.footprint import Places
from luigigo.golang import cincludes
from luigigo.golang.answers import Answers, answer_codec
from luigigo.golang.cunits import english
from luigigo.golang.namedfiles import named_files
from luigigo.model import digest_of
from luigigo.process import Command, Runner

_PROGRAM = b"int main(void) { return 0; }\n"
_TRIED = re.compile(rb"^attempt to open (.*) (succeeded|failed)$", re.MULTILINE)

_PLACELESS = re.compile(r"-(?:l[\w.+-]+|O\w*|g\w*|pthread|Qunused-arguments|[fm][\w-]+(?:=\d+)?)")
"""Flags that name no file or folder."""
_SEARCHED = ("LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")
"""Variables with folders in which C compilers look, which may be relative."""


class Libraries(msgspec.Struct, frozen=True):
    """What a linker reads besides the objects that it is given."""

    files: tuple[str, ...]
    """By absolute path."""
    places: Places
    """What the answer rests on."""
    untold: str = ""
    """Why that is not all."""


_codec = answer_codec(Libraries)


def starts_anywhere(argv: Sequence[str], variables: Mapping[str, str]) -> bool:
    """Whether nothing in a C compiler's command leads from the folder in which it runs.

    Then one answer serves all projects. False in doubt.
    """
    program, *flags = argv
    is_found = os.path.isabs(program) or "/" not in program
    is_led = any(variables.get(name) for name in _SEARCHED)
    return is_found and not is_led and all(map(_PLACELESS.fullmatch, flags))


class LibraryReader:
    """Asks C linkers what they read. Safe for threads."""

    def __init__(
        self, runner: Runner, answers: Answers, scratch_dir: str, variables: Mapping[str, str]
    ) -> None:
        self._runner = runner
        self._answers = answers
        self._scratch_dir = scratch_dir
        self._variables = english(variables)

    def libraries(
        self, driver: Sequence[str], identity: object, flags: Sequence[str], folder: str
    ) -> Libraries:
        """What `driver`, a C compiler with its own flags, has the linker read for `flags`, from `folder`.

        `identity` is all that the driver itself depends on.
        """
        started_ns = time.time_ns()
        start = "" if starts_anywhere((*driver, *flags), self._variables) else folder
        key = digest_of("libraries", driver, identity, flags, start)
        kept = self._answers.recall(key, _codec)
        if kept is not None:
            return kept
        answer = self._ask(driver, flags, folder)
        if not answer.untold:
            self._answers.keep(key, answer, answer.places, started_ns, _codec)
        return answer

    def _ask(self, driver: Sequence[str], flags: Sequence[str], folder: str) -> Libraries:
        named = named_files(flags, folder)
        with tempfile.TemporaryDirectory(dir=self._scratch_dir) as scratch:
            rule = os.path.join(scratch, "rule")
            told = ("-Wl,--verbose", f"-Wl,--dependency-file={rule}", "-Wl,--unresolved-symbols=ignore-all")
            argv = (
                *driver,
                "-x",
                "c",
                "-",
                "-x",
                "none",
                *flags,
                *told,
                "-o",
                os.path.join(scratch, "program"),
            )
            env = {**self._variables, "PWD": folder, "TMPDIR": scratch, "TERM": "dumb"}
            finished = self._runner.run(Command(argv, folder, env, stdin=_PROGRAM))
            said = finished.output
            found = [(os.fsdecode(name), how == b"succeeded") for name, how in _TRIED.findall(said)]
            tried = [(name, was_there) for name, was_there in found if not name.startswith(scratch + "/")]
            read = [name for name, was_there in tried if was_there] + _rule(rule, folder)
            read = [path for path in _absolute(read, folder) if not path.startswith(scratch + "/")]
        files = sorted({*(path for path in read if os.path.isfile(path)), *named.files})
        folders = {*(os.path.dirname(path) for path in files)}
        names = [os.path.dirname(name) or "." for name, _ in tried]
        folders.update(_absolute([*names, *_library_folders(flags, self._variables)], folder))
        is_told = read and ending(finished.exit_code, said).is_verdict
        untold = named.untold or ("" if is_told else f"nothing tells what {' '.join(driver)} links")
        return Libraries(tuple(files), Places(files=tuple(files), listings=tuple(sorted(folders))), untold)


def _rule(path: str, folder: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return cincludes.read_files(file.read(), folder)
    except OSError:
        return []


def _library_folders(flags: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """The folders that flags and the environment name: a library that appears there may be found first."""
    given = variables.get("LIBRARY_PATH", "")
    found = [folder or "." for folder in given.split(os.pathsep)] if given else []
    following = pairwise((*flags, ""))
    return found + [flag[2:] or after for flag, after in following if flag.startswith("-L")]


def _absolute(names: Sequence[str], folder: str) -> list[str]:
    """Whole paths without `..`, also where a folder before that is a symbolic link."""
    paths = [os.path.join(folder, name) for name in dict.fromkeys(names)]
    plain = [(path, os.path.normpath(path)) for path in paths]
    return [
        norm
        if ".." not in path or os.path.realpath(norm) == os.path.realpath(path)
        else os.path.realpath(path)
        for path, norm in plain
    ]
