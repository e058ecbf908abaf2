"""What one process builds with: its store, runner, caches and plans. One a process, made when first needed.

Tasks carry only a plan's digest; here the digest becomes a plan again, and a request becomes a plan.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping

import msgspec

from luigigo import kept
from luigigo.config import Config, read_config
from luigigo.errors import StoreError, UsageError
from luigigo.execution.equipment import Equipment, prepare_work_dir
from luigigo.execution.events import BuildPlanned, Event, MessageReplayed, Observer
from luigigo.execution.sources import with_bundles
from luigigo.execution.workshop import Workshop
from luigigo.footprint import footprint
from luigigo.golang.actions import Plan, Root
from luigigo.golang.request import BuildRequest
from luigigo.machine import memory_available_bytes, memory_limit_bytes, node_name, usable_cpus
from luigigo.model import ActionId, ActionRecord, Digest
from luigigo.planning import Desk, describe_go, make_plan
from luigigo.process import Runner
from luigigo.store import Store
from luigigo.store.leases import Lease
from luigigo.store.stathashes import StatHashes
from luigigo.timings import Timings

_MEMORY_SHARE = 0.9
"""Of the memory that is free when a build begins, what its actions may take together."""
_RENEW_SECONDS = 60.0

_decode_plan = msgspec.msgpack.Decoder(Plan).decode


class Delivery(msgspec.Struct, frozen=True):
    """One binary and the place where the user wants it."""

    root: Root
    path: str


class PlannedBuild:
    """A request's plan, ready to be scheduled: what is done, and how long the rest takes."""

    def __init__(self, digest: Digest, workshop: Workshop, timings: Timings) -> None:
        self.digest = digest
        self.workshop = workshop
        self.plan = workshop.plan
        self.done: dict[ActionId, ActionRecord] = workshop.prune()
        self._timings = timings
        self._remaining: dict[ActionId, float] | None = None

    @property
    def remaining_seconds(self) -> dict[ActionId, float]:
        """For each action, the longest chain of work that starts with it."""
        if self._remaining is None:
            from luigigo.scheduling.priority import remaining_path_seconds

            self._remaining = remaining_path_seconds(self.plan, self._timings.seconds)
        return self._remaining

    def needed(self) -> Iterator[ActionId]:
        """The actions that have to run for the roots, as far as is known before they do."""
        waiting = [root.action for root in self.plan.roots]
        seen: set[ActionId] = set()
        while waiting:
            action_id = waiting.pop()
            if action_id in seen or action_id in self.done:
                continue
            seen.add(action_id)
            yield action_id
            waiting += self.plan.actions[action_id].dependencies


class Session:
    """One process' equipment and plans."""

    def __init__(self, config: Config, variables: Mapping[str, str]) -> None:
        self.config = config
        self.variables = dict(variables)
        self.runner = Runner()
        self._observers: list[Observer] = []
        self._builds: dict[tuple[BuildRequest, str], PlannedBuild] = {}
        self._workshops: dict[Digest, Workshop] = {}
        self._places: list[tuple[kept.Place, kept.Kept]] = []
        self._leases: list[Lease] = []
        self._renewed = time.monotonic()
        self._equipment: Equipment | None = None
        self._lock = threading.Lock()
        self._said: set[str] = set()

    @property
    def equipment(self) -> Equipment:
        """What this node works with; opened at the first use. Raises `StoreError`."""
        with self._lock:
            if self._equipment is None:
                self._equipment = self._equip()
            return self._equipment

    def _equip(self) -> Equipment:
        config = self.config
        try:
            os.makedirs(config.cache, exist_ok=True)
            work_dir = prepare_work_dir(config.cache)
        except OSError as error:
            raise StoreError(
                f"luigigo: the cache folder {config.cache} cannot be used: {error.strerror}; "
                "set [luigigo] cache= in luigi.cfg"
            ) from error
        hashes = StatHashes.load(os.path.join(config.cache, "hashes"))
        return Equipment(
            store=Store.open_at(config.store_root, config.node_cache, hashes, self.say),
            runner=self.runner,
            hashes=hashes,
            timings=Timings.load(os.path.join(config.cache, "timings")),
            work_dir=work_dir,
            sources_dir=os.path.join(config.cache, "sources"),
            node=node_name(),
            cpus=usable_cpus(),
            budget_bytes=self._budget_bytes(),
            variables=self.variables,
            observe=self._observe,
            wait_seconds=10.0 if config.shared else 0.0,
        )

    def _budget_bytes(self) -> int:
        if self.config.memory_bytes:
            return self.config.memory_bytes
        return int(_MEMORY_SHARE * min(memory_available_bytes(), memory_limit_bytes()))

    def add_observer(self, observer: Observer) -> None:
        """Let an observer hear of everything from now on."""
        self._observers.append(observer)

    @property
    def has_observers(self) -> bool:
        """Whether anybody listens."""
        return bool(self._observers)

    def remove_observer(self, observer: Observer) -> None:
        """Let it hear of nothing any more."""
        self._observers.remove(observer)

    def _observe(self, event: Event) -> None:
        for observer in tuple(self._observers):
            observer(event)
        if time.monotonic() - self._renewed > _RENEW_SECONDS:
            self._renewed = time.monotonic()
            for lease in tuple(self._leases):
                lease.renew()

    def say(self, line: str) -> None:
        """Tell the user one thing, once."""
        if line not in self._said:
            self._said.add(line)
            print(line, file=sys.stderr, flush=True)

    def up_to_date(self, request: BuildRequest, output: str) -> kept.Kept | None:
        """What was kept of this build, if nothing changed since and its binaries are in place."""
        earlier = kept.read(kept.place_of(request, output, self.config, self.variables))
        if earlier is not None and kept.outputs_in_place(earlier) and kept.still_holds(earlier):
            if earlier.messages:
                self.say(earlier.messages.rstrip("\n"))
            return earlier
        return None

    def plan(self, request: BuildRequest, output: str) -> PlannedBuild:
        """The plan of a request, made once. Raises what `planning.make_plan` raises."""
        build = self._builds.get((request, output))
        if build is None:
            place = kept.place_of(request, output, self.config, self.variables)
            build = self._kept_plan(place) or self._new_plan(request, output, place)
            self._builds[(request, output)] = build
            self._begin_lease(build)
            self._observe(BuildPlanned(len(build.plan.actions), len(build.done)))
            for record in build.done.values():
                if record.messages:
                    self._observe(MessageReplayed(record.messages))
        return build

    def _kept_plan(self, place: kept.Place) -> PlannedBuild | None:
        earlier = kept.read(place)
        if earlier is None or not kept.still_holds(earlier):
            return None
        try:
            workshop = self.workshop(earlier.plan)
        except StoreError:
            return None
        self._places.append((place, earlier))
        return PlannedBuild(earlier.plan, workshop, self.equipment.timings)

    def _new_plan(self, request: BuildRequest, output: str, place: kept.Place) -> PlannedBuild:
        equipment = self.equipment
        now_ns = time.time_ns()
        desk = Desk(self.config, self.variables, self.runner, equipment.hashes, self.say)
        planned = make_plan(request, desk)
        self.say(describe_go(planned))
        if self.config.shared:
            # Nodes that see nothing but the share can then run any action.
            planned = msgspec.structs.replace(planned, plan=with_bundles(planned.plan, equipment.store))
        digest = equipment.store.write_plan(msgspec.msgpack.encode(planned.plan))
        workshop = Workshop(planned.plan, equipment)
        self._workshops[digest] = workshop
        build = PlannedBuild(digest, workshop, equipment.timings)
        if planned.keepable:
            traces = footprint(planned, self.variables)
            present, absent = kept.setting_files(self.variables)
            outputs = [delivery.path for delivery in deliveries(planned.plan, output)]
            try:
                state = kept.Kept(
                    format=kept.FORMAT,
                    plan=digest,
                    files=kept.file_states((*traces.files, *present), now_ns),
                    folders=kept.folder_states(traces.folders, outputs, now_ns),
                    absent=(*traces.absent, *absent),
                )
            except OSError:
                # Something vanished while the plan was made; the next build looks again.
                return build
            self._places.append((place, state))
        return build

    def _begin_lease(self, build: PlannedBuild) -> None:
        keys: set[str] = {action.key for action in build.plan.actions.values()}
        for record in build.done.values():
            keys.update(output.digest for output in record.outputs.values())
        for action in build.plan.actions.values():
            if action.sources.bundle is not None:
                keys.add(action.sources.bundle.digest)
        try:
            self._leases.append(self.equipment.store.begin_run(uuid.uuid4().hex, keys))
        except StoreError as error:
            # A store that can only be read still serves what it holds.
            self.say(str(error))

    def workshop(self, digest: Digest) -> Workshop:
        """The workshop of a plan in the store. Raises `ContentMissing` when the plan is not there."""
        workshop = self._workshops.get(digest)
        if workshop is None:
            content = self.equipment.store.read_plan(digest, self.equipment.wait_seconds)
            workshop = self._workshops[digest] = Workshop(_decode_plan(content), self.equipment)
        return workshop

    def keep(self, build: PlannedBuild, summary: str, outputs: list[str]) -> None:
        """Remember that this build's binaries are in place, for the next one to find nothing to do."""
        for place, state in self._places:
            if state.plan == build.digest:
                states = tuple(kept.file_state(path) for path in outputs)
                messages = build.workshop.messages()
                kept.write(
                    place, msgspec.structs.replace(state, outputs=states, summary=summary, messages=messages)
                )

    def save(self) -> None:
        """Write the caches and give up the leases; the session can still be used."""
        for lease in self._leases:
            lease.end()
        self._leases.clear()
        if self._equipment is None:
            return
        try:
            self._equipment.hashes.save()
            self._equipment.timings.save()
        except OSError as error:
            self.say(f"luigigo: caches in {self.config.cache} cannot be written: {error.strerror}")

    def close(self) -> None:
        """Save, and remove the work folder."""
        import shutil

        self.save()
        if self._equipment is not None:
            shutil.rmtree(self._equipment.work_dir, ignore_errors=True)


def deliveries(plan: Plan, output: str) -> list[Delivery]:
    """Where each program goes, as with `go build -o`: a file, or a folder that takes all programs.

    With no output and one package it is the program's default name in the current folder; with several,
    nowhere. An output that ends in `/.` stands for no output, with that folder as the current one. Raises
    `UsageError` when a file is to take several programs, or there is no program.
    """
    programs = [root for root in plan.roots if root.executable]
    if not output or output.endswith("/."):
        if len(plan.roots) != 1:
            return []
        paths = [Delivery(root, os.path.join(os.path.abspath(output), root.executable)) for root in programs]
        for delivery in paths:
            if os.path.isdir(delivery.path):
                raise UsageError(
                    f"luigigo: build output {delivery.root.executable!r} already exists and is a directory"
                )
        return paths
    if output == os.devnull:
        return []
    if output.endswith("/") or os.path.isdir(output):
        if not programs:
            raise UsageError("luigigo: no main packages to build")
        return [Delivery(root, os.path.join(os.path.abspath(output), root.executable)) for root in programs]
    if len(plan.roots) > 1:
        raise UsageError(f"luigigo: cannot write multiple packages to non-directory {output}")
    if not programs:
        package = plan.roots[0].package
        raise UsageError(f"luigigo: {package} is not a main package: there is no binary to write to {output}")
    return [Delivery(programs[0], os.path.abspath(output))]


_session: Session | None = None
_session_pid = 0


def current() -> Session:
    """The session of this process, opened with the process' environment. Raises `UsageError`."""
    global _session, _session_pid
    if _session is None or _session_pid != os.getpid():
        _session = Session(read_config(os.environ), os.environ)
        _session_pid = os.getpid()
    return _session


def stop() -> None:
    """End what the session of this process runs, at once."""
    here = existing()
    if here is not None:
        here.runner.kill_all()
        here.save()


def memory_budget() -> int:
    """What the actions of this process may take together, in bytes."""
    return current().equipment.budget_bytes


def existing() -> Session | None:
    """The session, if one was opened in this process."""
    return _session if _session_pid == os.getpid() else None
