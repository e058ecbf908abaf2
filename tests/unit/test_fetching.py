"""What a node fetches ahead."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from luigigo.errors import StoreError
from luigigo.model import Digest, Output
from luigigo.protocol.messages import Made, Prefetch, TaskName
from luigigo.worker.goactions import GoActions
from luigigo.worker.prefetch import Fetcher

PLAN = "0" * 64


class Site:
    """A site whose plan lacks what is called `lost`."""

    def __init__(self) -> None:
        self.fetched: list[tuple[str, str]] = []
        self.learned: dict[str, Made] = {}
        self.is_done = threading.Event()

    def executor(self, plan: str) -> SimpleNamespace:
        assert plan == PLAN
        known = SimpleNamespace(learn=self.learned.update)
        return SimpleNamespace(fetch=self._fetch, known=known)

    def _fetch(self, action: str, dependency: str) -> None:
        if dependency == "compile lost":
            raise StoreError("the share is away")
        self.fetched.append((action, dependency))
        if dependency == "compile last":
            self.is_done.set()


def name(path: str, family: str = "CompilePackage", **more: str) -> TaskName:
    return TaskName(family, {"import_path": path, "plan": PLAN, **more})


def test_what_is_done_is_fetched_and_what_cannot_be_is_passed_over() -> None:
    """Neither a fault nor a task that is none of luigigo's ends it."""
    site = Site()
    fetcher = Fetcher(GoActions(site).table())  # type: ignore[arg-type]
    fetcher.start()
    link = name("app", "LinkBinary")
    made = {"1" * 64: {"object": Output(Digest("2" * 64), 3)}}
    fetcher.expect(Prefetch(link, (name("a"), name("b")), made))
    fetcher.expect(Prefetch(link, (name("x"),), {"../x": {}}))
    fetcher.expect(Prefetch(link, (name("lost"),)))
    fetcher.expect(Prefetch(name("app", "ExternalProgram"), (name("c"),)))
    fetcher.expect(Prefetch(link, (name("d", extra="1"),)))
    fetcher.expect(Prefetch(link, (TaskName("CompilePackage", {"import_path": "e", "plan": "../x"}),)))
    fetcher.expect(Prefetch(link, (name("last"),)))
    assert site.is_done.wait(10)
    assert site.learned == made
    assert site.fetched == [("link app", f"compile {each}") for each in ("a", "b", "last")]
