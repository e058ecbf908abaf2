"""Large made-up runs, for tests and benchmarks."""

from __future__ import annotations

import random

import msgspec
from runrecording import attempts, content, head, plan

from luigigo.attempts import NodeInfo
from luigigo.runrecords.lines import EndLine, NodesLine, PhaseLine, PlannedAction
from luigigo.runrecords.reading import RunRecord, parse

MODULES = ("std", *(f"github.com/some/module{number}" for number in range(300)))


def large_run(random_: random.Random, actions: int, nodes: int, slots: int) -> RunRecord:
    """So many actions with up to six dependencies each, on nodes with so many slots."""
    needed = [
        tuple(sorted({random_.randrange(max(0, at - 2000), at) for _ in range(random_.randint(1, 6))}))
        if at
        else ()
        for at in range(actions)
    ]
    machines = [NodeInfo(f"node{number:03}", slots, 64 << 30, "AMD EPYC") for number in range(nodes)]
    lines, end = attempts(random_, needed, machines, set(), 1.0)
    planned = msgspec.structs.replace(
        plan(needed),
        modules=MODULES,
        actions=tuple(
            PlannedAction(f"compile {MODULES[at % 301]}/internal/pkg{at}", f"key{at}", at % 301, dependencies)
            for at, dependencies in enumerate(needed)
        ),
    )
    return parse(
        "large",
        content(
            head(),
            planned,
            PhaseLine("start", 0.0, 1.0),
            NodesLine(1.0, tuple(machines)),
            *lines,
            PhaseLine("run", 1.0, end),
            EndLine("ok", end),
        ),
    )
