"""Hold how luigigo ended against how `go build` from scratch ended."""

from __future__ import annotations

import re
from collections import Counter

from .builders import CRASHED, HUNG, Outcome

OWN = "luigigo:"
"""Begins luigigo's own lines."""
ON_CLUSTER = re.compile(r"^luigigo: using (your luigid|the cluster)", re.MULTILINE)
"""Said where a cluster builds, which ends with the first fault; go build tells what else it comes to."""
NO_PROGRAM = "is not a main package: there is no binary"
"""Refused before anything is compiled: with `-o` go build writes it as an archive with ids of its own."""
REFUSED = 2
"""The exit code of what luigigo does not do."""
NO_C = "# runtime/cgo"
"""The package with which C begins does not compile: compiler or flags are no good."""


def differences(go: Outcome, luigigo: Outcome, before: str) -> list[str]:
    """What is not as it must be, each as `KIND: what`; `before` is the output's digest before both builds."""
    found: list[str] = []
    if luigigo.exit_code == HUNG:
        return ["hung: luigigo did not end"]
    if "Traceback (most recent call last)" in luigigo.said or luigigo.exit_code == CRASHED:
        found.append(f"traceback: {last_line(luigigo.said)}")
    if luigigo.exit_code == REFUSED and NO_PROGRAM in luigigo.said and luigigo.digest == before:
        return found
    if (go.exit_code == 0) != (luigigo.exit_code == 0):
        return [*found, f"exit: go ends with {go.exit_code}, luigigo with {luigigo.exit_code}"]
    if go.exit_code == 0 and go.digest != luigigo.digest:
        found.append("bytes: the binaries differ" if luigigo.digest else "bytes: there is no binary")
    if go.exit_code != 0 and luigigo.digest != before:
        found.append("leavings: the build failed and the output is not as it was")
    if go.exit_code != 0 and NO_C in go.said:
        # Without C at all luigigo plans nothing, or compiles the C of other packages first; go build compiles
        # what it comes to.
        return found
    return found + message_differences(go.said, luigigo.said)


def message_differences(go: str, luigigo: str) -> list[str]:
    """Lines of go's that luigigo does not print as often, and lines that it prints and go does not."""
    expected, got = Counter(comparable_lines(go)), Counter(comparable_lines(luigigo))
    missing, extra = list((expected - got).elements()), list((got - expected).elements())
    if ON_CLUSTER.search(luigigo) and got:
        missing = []
    told = [f"missing {line!r}" for line in missing[:3]] + [f"extra {line!r}" for line in extra[:3]]
    return [f"message: {', '.join(told)}"] if told else []


def comparable_lines(said: str) -> list[str]:
    """The lines of a build that must be the same in both.

    Not compared are luigigo's own lines; the order of lines, for packages are compiled at the same time and
    go's own order changes from run to run; blank lines; and names of temporary files, which are random.
    """
    lines = [line.rstrip() for line in said.splitlines()]
    return [_without_random_names(line) for line in lines if line and not line.startswith(OWN)]


def _without_random_names(line: str) -> str:
    line = re.sub(r"\S*/go-(build|link)-?\d+", "$TMP", line)
    line = re.sub(r"\S*/cc\w{6}\.(o|s|ltrans\d*)", "$TMP/cc", line)
    return re.sub(r"_cgo_[0-9a-f]{12}_", "_cgo_HASH_", line)


def last_line(said: str) -> str:
    """The last line that says something."""
    return next((line for line in reversed(said.splitlines()) if line.strip()), "")
