"""Tool output as `go build` prints it. Pure; follows Shell.reportCmd in cmd/go/internal/work/shell.go."""

from __future__ import annotations

import os
import re

_CGO_LINE = re.compile(r"\[[^\[\]]+\.(cgo1|cover)\.go:[0-9]+(:[0-9]+)?\]")
_CGO_NAME = re.compile(r"\b_C2?(type|func|var|macro)_\B")


def report(label: str, output: bytes, package_dir: str, project_dir: str, object_dir: str) -> str:
    """Format a tool's output: a `# package` line, then the text with folders as go build writes them.

    Folders become relative to the project where that is shorter, the work folder becomes `$WORK`, and
    names that cgo made up become what the source says.
    """
    text = os.fsdecode(output)
    if not text.endswith("\n"):
        text += "\n"
    text = _replace_prefix(text, object_dir, "$WORK/b001")
    folder = package_dir
    while folder:
        relative = os.path.relpath(folder, project_dir)
        if len(relative) < len(folder):
            text = _replace_prefix(text, folder, relative)
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    text = _CGO_LINE.sub("", text)
    return f"# {label}\n{_CGO_NAME.sub('C.', text)}"


def _replace_prefix(text: str, old: str, new: str) -> str:
    """Replace where a word or a line starts with `old`, not inside words."""
    if old not in text:
        return text
    for before in (" ", "\n", "\n\t"):
        text = text.replace(before + old, before + new)
    return new + text[len(old) :] if text.startswith(old) else text
