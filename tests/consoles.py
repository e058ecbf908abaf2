"""The commands that the documents show, in their order."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")
"""The README last: it ends with taking luigigo away."""


def commands_of(document: Path) -> list[str]:
    """The commands of a document's console blocks."""
    blocks = document.read_text().split("```console\n")[1:]
    lines = [line for block in blocks for line in block.partition("```")[0].splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def needs_hosts(command: str) -> bool:
    """Whether a command is for a cluster's hosts, where the cluster tests run it."""
    words = command.split()
    return {"doctor", "cluster", "worker"} & set(words[:2]) != set() or any(
        word in ("--cluster", "--scheduler-host") for word in words
    )
