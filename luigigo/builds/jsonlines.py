"""What `luigigo build -json` prints: one JSON object a line, an *action* event for each action that this run
took up, and at last one *build* event, also where the build failed or was interrupted.

Every object has

* `version`: 2, the version of this form; what is added later does not change it.
* `event`: `action` or `build`.

An action's:

* `kind`: `compile`, `cgo`, `link` or `preprofile`; `package`: its import path; `node`: where it ran.
* `outcome`: `ran`; `cutoff`, its dependencies changed, but nothing that it reads of them did; `hit`, somebody
  had done it by the time it was its turn; `failed`.
* `seconds`, `cpu_seconds`, `peak_bytes`; `saved_seconds`: what the run took whose outputs serve, 0 where its
  tools ran.
* `waited_seconds`, until all that it reads was on its node; `queued_seconds`, from being ready to its slot;
  `published_seconds`, the last part of `seconds`, from its tools' end until the store had what they made.

The build's:

* `outcome`: `ok`, `up-to-date`, `failed` or `interrupted`.
* `output`: the list of the binaries' paths; empty unless they are in place.
* `seconds`; `saved_seconds`: what all cached actions took when they ran.
* `counts`: by outcome, how many actions ended so. Those that were done before the build began have no event
  and count as `hit`.
* `messages`: the list of all that was printed on stderr: the tools' and the go command's words, verbatim,
  and luigigo's own.

Names are bytes. A byte that is no UTF-8 is `\\udc80` to `\\udcff`, as Python has it (`os.fsencode` gives the
bytes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luigigo.execution.events import ActionEnded

VERSION = 2


def action_event(event: ActionEnded) -> dict[str, object]:
    """The object of an action that ended."""
    attempt = event.attempt
    return {
        "version": VERSION,
        "event": "action",
        "kind": event.kind,
        "package": event.package,
        "outcome": event.outcome.value,
        "seconds": round(event.seconds, 4),
        "saved_seconds": round(event.saved_seconds, 4),
        "node": event.node,
        "cpu_seconds": round(attempt.cpu_seconds, 4),
        "peak_bytes": attempt.peak_bytes,
        "published_seconds": round(attempt.publishing_seconds, 4),
        "waited_seconds": round(attempt.staging_seconds, 4),
        "queued_seconds": round(attempt.queued_seconds, 4),
    }


def build_event(
    outcome: str,
    paths: Sequence[str],
    counts: Mapping[str, int],
    seconds: tuple[float, float],
    messages: Sequence[str],
) -> dict[str, object]:
    """The last object; `seconds` are those that the build took and those that it saved."""
    return {
        "version": VERSION,
        "event": "build",
        "outcome": outcome,
        "output": list(paths),
        "seconds": round(seconds[0], 4),
        "saved_seconds": round(seconds[1], 4),
        "counts": {each: counts.get(each, 0) for each in ("ran", "cutoff", "hit", "failed")},
        "messages": list(messages),
    }
