"""Made-up runs, drawn by a seed: a graph of actions, scheduled on nodes by a small simulation of its own."""

from __future__ import annotations

import random

import msgspec

from luigigo.attempts import NodeInfo
from luigigo.reports.history import History
from luigigo.runrecords.lines import (
    VERSION,
    AnyLine,
    AttemptLine,
    EndLine,
    Head,
    HitEntry,
    HitsLine,
    NodesLine,
    PhaseLine,
    PlanLine,
    PlannedAction,
    codec,
    ticks_of,
)
from luigigo.runrecords.reading import RunRecord, parse
from luigigo.store.owners import Owner

RUN = "20260102-030405-abcd"


def head(**more: object) -> Head:
    """The first line of a record."""
    line = Head(VERSION, RUN, 1e9, ("luigigo", "build", "."), "/p", "home", Owner("home", 1))
    return msgspec.structs.replace(line, **more)


def plan(dependencies: list[tuple[int, ...]], first: int = 0) -> PlanLine:
    """A plan of so many compiles, the last of which is a root."""
    return PlanLine(
        plan="ab" * 32,
        request="request",
        project="/p",
        packages=(".",),
        toolchain="go1.27.3",
        first=first,
        modules=("std", "example.com/m"),
        actions=tuple(
            PlannedAction(f"compile p/{first + at}", f"key{first + at}", at % 2, needed)
            for at, needed in enumerate(dependencies)
        ),
        roots=(first + len(dependencies) - 1,),
    )


def content(*lines: AnyLine) -> bytes:
    """The file that holds these lines."""
    return b"".join(codec.encode(line) + b"\n" for line in lines)


def history(*lines: AnyLine) -> History:
    """The run that these lines tell of."""
    return History(parse(RUN, content(*lines)))


def drawn(seed: int, count: int = 60) -> RunRecord:
    """A run of up to so many actions, on one machine or on several nodes, with waits of each kind."""
    random_ = random.Random(seed)
    actions = random_.randint(1, count)
    needed = [
        tuple(sorted(random_.sample(range(at), min(at, random_.randint(0, 3))))) for at in range(actions)
    ]
    nodes = [NodeInfo(f"n{at}", random_.randint(1, 3)) for at in range(random_.randint(1, 3))]
    hits = {at for at in range(actions) if random_.random() < 0.2 and not any(needed[at])}
    began = random_.uniform(0.1, 2.0)
    lines, end = attempts(random_, needed, nodes, hits, began)
    return parse(
        RUN,
        content(
            head(),
            plan(needed),
            HitsLine(tuple(HitEntry(at, 0.5) for at in sorted(hits))),
            PhaseLine("start", 0.0, began),
            NodesLine(began, tuple(nodes)),
            *lines,
            PhaseLine("run", began, end),
            PhaseLine("deliver", end, end + 0.25),
            EndLine("ok", end + 0.25),
        ),
    )


def attempts(
    random_: random.Random,
    needed: list[tuple[int, ...]],
    nodes: list[NodeInfo],
    hits: set[int],
    began: float,
) -> tuple[list[AttemptLine], float]:
    """Each action in turn on the slot that is free first: not the best of schedules, but a possible one."""
    is_remote = len(nodes) > 1
    free = [(began, node.name, slot) for node in nodes for slot in range(node.slots)]
    ended = dict.fromkeys(hits, 0.0)
    lines = []
    for at, dependencies in enumerate(needed):
        if at in hits:
            continue
        ready = max([began, *(ended[each] for each in dependencies)])
        free_at, node, slot = free.pop(free.index(min(free)))
        luigid = random_.choice((0.0, 0.01))
        memory = random_.choice((0.0, 0.0, 0.05))
        given = max(ready, free_at) + luigid + (memory if is_remote else 0.0)
        staged = given + random_.uniform(0.0, 0.1) if is_remote else None
        started = staged if staged is not None else given + memory
        tools_ended = started + random_.uniform(0.001, 1.0)
        ended[at] = tools_ended + random_.uniform(0.0, 0.1)
        free.append((tools_ended if is_remote else ended[at], node, slot))
        received = given if is_remote else None
        times = (ready, given, received, staged, started, started, tools_ended, ended[at])
        lines.append(
            AttemptLine(
                action=at,
                node=node,
                outcome=random_.choice(("ran", "ran", "cutoff")),
                ticks=ticks_of(tuple(None if each is None else round(each, 4) for each in times)),
                slot=slot,
                waits=(memory, luigid),
                cpu_seconds=0.1,
                peak_bytes=random_.randint(1, 1 << 30),
            )
        )
    return lines, round(max([began, *ended.values()]) + 0.001, 4)
