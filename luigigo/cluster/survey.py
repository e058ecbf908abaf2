"""Asking all nodes of a cluster at once: what they are, and how soon they see each other's files.

A node that does not answer is left out with the reason; the others go on. Decides nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from luigigo.cluster.findings import (
    ClockDifference,
    Finding,
    Severity,
    View,
    judge,
    judge_clock,
    judge_views,
)
from luigigo.cluster.links import Link, LocalLink, connect, in_parallel, is_here
from luigigo.cluster.messages import (
    Clock,
    ClusterError,
    ForNode,
    Look,
    Marks,
    Nothing,
    Probe,
    Sightings,
)
from luigigo.clusterfile import ClusterDescription, NodeEntry, as_file
from luigigo.machine import node_name

THIS_MACHINE = "this machine"
_CONNECT_LIMIT_SECONDS = 30.0
_PROBE_LIMIT_SECONDS = 30.0
_MARK_LIMIT_SECONDS = 10.0

T = TypeVar("T")


class PoolOptions(msgspec.Struct, frozen=True):
    """How to ask."""

    accept_new_host_keys: bool = False
    visibility: str = "head"
    """`head`: between this machine and each node; `all`: between all pairs; `none`."""
    visibility_seconds: float = 3.0
    """The longest to wait for a file to be seen."""


class NodePool:
    """The nodes of a cluster that can be asked, and why others cannot. Use it in a `with`."""

    def __init__(self, cluster: ClusterDescription, options: PoolOptions) -> None:
        self.cluster = cluster
        self.options = options
        self.home = _home_of(cluster)
        """What this machine is called among them."""
        self.links: dict[str, Link] = {self.home: LocalLink()}
        self.findings: list[Finding] = []
        self._file = as_file(cluster)

    def __enter__(self) -> NodePool:
        return self

    def __exit__(self, *_: object) -> None:
        for link in self.links.values():
            with suppress(Exception):
                link.close()

    def connect(self, entries: Iterable[NodeEntry]) -> None:
        """Open links to these nodes, at the same time."""
        interpreter = self.cluster.interpreter
        accept = self.options.accept_new_host_keys

        def opener(entry: NodeEntry) -> Callable[[], Link]:
            if not entry.user and is_here(entry.host):
                return LocalLink
            return lambda: connect(entry, interpreter, accept_new_host_keys=accept)

        openers = {entry.name: opener(entry) for entry in entries if entry.name not in self.links}
        self.links |= self.good(in_parallel(openers, _CONNECT_LIMIT_SECONDS))

    def ask(
        self, requests: Mapping[str, tuple[str, msgspec.Struct]], answer_type: type[T], limit_seconds: float
    ) -> dict[str, T]:
        """Put a question to each of several nodes, at the same time; who fails is left out."""

        def asker(name: str, verb: str, request: msgspec.Struct) -> Callable[[], T]:
            link = self.links[name]
            return lambda: link.ask(verb, request, answer_type, limit_seconds)

        askers = {name: asker(name, *question) for name, question in requests.items() if name in self.links}
        return self.good(in_parallel(askers, limit_seconds + 1.0, at_once=len(askers) or 1))

    def greet(self) -> list[str]:
        """Find out which nodes answer; return their names."""
        self.connect(self.cluster.nodes)
        names = [entry.name for entry in self.cluster.nodes if entry.name in self.links]
        return list(self.ask(dict.fromkeys(names, ("clock", Nothing())), Clock, _PROBE_LIMIT_SECONDS))

    def connect_scheduler(self) -> str:
        """Open a link to luigid's host, if there is none; return the name that it is asked by."""
        host = self.cluster.scheduler.host
        if is_here(host):
            return self.home
        entries = [entry for entry in self.cluster.nodes if entry.name == host]
        self.connect(entries or [NodeEntry(host)])
        return host

    def for_node(self, name: str) -> ForNode:
        """The request that names a node."""
        return ForNode(cluster=self._file, node=name)

    def name_of(self, name: str) -> str:
        """A name for folders of a node, which this machine has although it may be none of the nodes."""
        return node_name() if name == THIS_MACHINE else name

    def note(self, findings: Iterable[Finding]) -> None:
        """Keep findings; who has a bad one is asked no more."""
        for finding in findings:
            if finding.severity is Severity.BAD:
                self.leave_out(finding.node, finding.what, finding.remedy)
            else:
                self.findings.append(finding)

    def leave_out(self, name: str, what: str, remedy: str = "") -> None:
        """Ask a node no more."""
        self.findings.append(Finding(name, Severity.BAD, what, remedy))
        link = self.links.pop(name, None)
        if link is not None:
            with suppress(Exception):
                link.close()

    def good(self, results: Mapping[str, T | Exception]) -> dict[str, T]:
        """The results that are none of a failure; who failed is left out."""
        good = {}
        for name, result in results.items():
            if isinstance(result, Exception):
                known = isinstance(result, ClusterError | OSError)
                self.leave_out(name, str(result) if known else f"{type(result).__name__}: {result}")
            else:
                good[name] = result
        return good


class Survey(msgspec.Struct, frozen=True):
    """What was found out; what is wrong is among the pool's findings."""

    probes: dict[str, Probe]
    clocks: dict[str, ClockDifference]
    views: dict[tuple[str, str], View]
    """By reader and writer."""


def survey(pool: NodePool, marks_folder: str) -> Survey:
    """Ask every node everything; who has a bad finding has no link any more.

    Raises `ClusterError` when this machine itself cannot be asked.
    """
    pool.connect(pool.cluster.nodes)
    questions = {name: ("probe", pool.for_node(pool.name_of(name))) for name in pool.links}
    probes = pool.ask(questions, Probe, _PROBE_LIMIT_SECONDS)
    reference = probes.get(pool.home)
    if reference is None:
        raise ClusterError(f"{pool.home} cannot be asked: {pool.findings[-1].what}")
    clocks = clock_differences(pool)
    for entry in pool.cluster.nodes:
        if entry.name in probes:
            pool.note(judge(entry, probes[entry.name], reference))
        if entry.name in clocks:
            pool.note(judge_clock(entry.name, clocks[entry.name]))
    views = {}
    if pool.options.visibility != "none" and pool.home in pool.links:
        views = see_each_other(pool, marks_folder)
        pool.note(judge_views(views, pool.home, pool.options.visibility_seconds))
    return Survey(probes, clocks, views)


def clock_differences(pool: NodePool) -> dict[str, ClockDifference]:
    """How far each node's clock is from this machine's."""
    link_of = dict(pool.links)

    def measure(link: Link) -> ClockDifference:
        asked = time.time()
        answer = link.ask("clock", Nothing(), Clock, _MARK_LIMIT_SECONDS)
        answered = time.time()
        middle = (asked + answered) / 2
        return ClockDifference(answer.time_seconds - middle, (answered - asked) / 2)

    measures = {name: partial(measure, link) for name, link in link_of.items() if name != pool.home}
    return pool.good(in_parallel(measures, _MARK_LIMIT_SECONDS + 1.0))


def see_each_other(pool: NodePool, folder: str) -> dict[tuple[str, str], View]:
    """Measure how soon the files that one node writes are seen on others, in both kinds of look-up.

    Each writes two files. Others have looked for the one in vain before, as one looks for a record that is
    not there yet; nobody has looked for the other. Times count from a reader's first look after all have
    written. The reader's own clock measures them.
    """
    marks = _names_of_marks(pool)
    asked = {reader: [marks[writer] for writer in _writers(pool, reader)] for reader in marks}
    awaited = {reader: tuple(names.awaited for names in asked[reader]) for reader in marks}
    pool.ask(
        {name: ("look", Look(folder, awaited[name], 0.0)) for name in marks}, Sightings, _MARK_LIMIT_SECONDS
    )
    written = pool.ask(
        {name: ("write", Marks(folder, names)) for name, names in marks.items()}, Nothing, _MARK_LIMIT_SECONDS
    )
    looks = {}
    for reader in marks:
        names = [name for writer in _writers(pool, reader) if writer in written for name in marks[writer]]
        looks[reader] = ("look", Look(folder, tuple(names), pool.options.visibility_seconds))
    limit_seconds = pool.options.visibility_seconds + _MARK_LIMIT_SECONDS
    answers = pool.ask(looks, Sightings, limit_seconds)
    everything = tuple(name for names in marks.values() for name in names)
    pool.ask({pool.home: ("remove", Marks(folder, everything))}, Nothing, _MARK_LIMIT_SECONDS)
    return {
        (reader, writer): View(
            reader, writer, seen.seen[marks[writer].fresh], seen.seen[marks[writer].awaited]
        )
        for reader, seen in answers.items()
        for writer in marks
        if marks[writer].fresh in seen.seen
    }


class _MarksOfWriter(NamedTuple):
    fresh: str
    awaited: str


def _names_of_marks(pool: NodePool) -> dict[str, _MarksOfWriter]:
    run = secrets.token_hex(6)
    return {
        name: _MarksOfWriter(f"{run}-{index}-fresh", f"{run}-{index}-awaited")
        for index, name in enumerate(pool.links)
    }


def _writers(pool: NodePool, reader: str) -> list[str]:
    """Whose files a node looks for."""
    everyone = pool.options.visibility == "all" or reader == pool.home
    return [name for name in pool.links if name != reader and (everyone or name == pool.home)]


def _home_of(cluster: ClusterDescription) -> str:
    """What this machine is called: by its entry among the nodes, as luigid's host, or nothing of both."""
    for entry in cluster.nodes:
        if not entry.user and is_here(entry.host):
            return entry.name
    return cluster.scheduler.host if is_here(cluster.scheduler.host) else THIS_MACHINE
