"""Tool output as it is kept. Pure; follows Shell.reportCmd in cmd/go/internal/work/shell.go."""

from __future__ import annotations

import re

from luigigo.messages import cut, replace_prefix
from luigigo.model import Said

_CGO_LINE = re.compile(r"\[[^\[\]]+\.(cgo1|cover)\.go:[0-9]+(:[0-9]+)?\]")
_CGO_NAME = re.compile(r"\b_C2?(type|func|var|macro)_\B")


def report(label: str, text: str, package_dir: str, object_dir: str) -> Said:
    """What a tool said: a `# package` line, then its output.

    The work folder becomes `$WORK`, and names that cgo made up become what the source says.
    """
    if not text.endswith("\n"):
        text += "\n"
    text = _CGO_LINE.sub("", replace_prefix(text, object_dir, "$WORK/b001"))
    return Said(cut(f"# {label}\n{_CGO_NAME.sub('C.', text)}", package_dir))
