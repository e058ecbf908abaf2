"""The linker's flags in what the cgo tool wrote, checked once more (exec.go, processCgoOutputs). Pure.

The compiler takes `//go:cgo_ldflag` from generated files alone. Flags of the package's own were checked when
planned; any other was smuggled into a generated file, and has to be as harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MARK = b"//go:cgo_ldflag"


def unplanned_flags(sources: Iterable[bytes], planned: Sequence[str]) -> tuple[str, ...]:
    """The flags that generated files pass to the linker, without one run of those that were planned."""
    flags = [flag for source in sources if MARK in source for flag in _flags(source)]
    count = len(planned)
    for start in range(len(flags) - count + 1 if count else 0):
        if flags[start : start + count] == list(planned):
            del flags[start : start + count]
            break
    return tuple(flags)


def _flags(source: bytes) -> list[str]:
    """The directive has to be the first comment of its line; its flag is unquoted as the compiler does."""
    comments = (line[line.find(b"//") :] for line in source.split(b"\n") if b"//" in line)
    return [
        comment.removeprefix(MARK).decode(errors="surrogateescape").strip().strip('"')
        for comment in comments
        if comment.startswith(MARK)
    ]
