"""The columns of every frame: name, type and meaning. The one place that knows them; pure.

Types are pandas' own with missing values (`string`, `Int64`, `Float64`, `boolean`), so that a frame has the
same ones when it is empty and when nothing is known, and any two runs' Parquet files can be read as one.
"""

from __future__ import annotations

TEXT, COUNT, NUMBER, TRUTH = "string", "Int64", "Float64", "boolean"
TIME = "datetime64[us, UTC]"

Columns = dict[str, tuple[str, str]]
"""By name: pandas' type, and what it says."""

_RUN = {"run": (TEXT, "The run's id; ids sort by the time at which runs began.")}

RUNS: Columns = {
    **_RUN,
    "started": (TIME, "When the command began, by the client's host."),
    "outcome": (TEXT, "`ok`, `failed`, `interrupted`, `running`, or `ended without a word`."),
    "seconds": (NUMBER, "From the beginning of the command to its end, as far as it is known."),
    "nodes": (COUNT, "How many machines could run its actions."),
    "slots": (COUNT, "How many slots they had together."),
    "ran": (COUNT, "Actions whose tools ran."),
    "cutoff": (COUNT, "Actions that needed no run, for nothing changed that they read."),
    "hit": (COUNT, "Actions that had been done before."),
    "failed": (COUNT, "Actions that failed."),
    "requeued": (COUNT, "Attempts that came to no end, such as those of a lost node."),
    "project": (TEXT, "The folder, or the module, that was built."),
    "packages": (TEXT, "What was built in it, with blanks between."),
    "command": (TEXT, "The command, as a shell takes it."),
    "host": (TEXT, "Where the command was typed."),
    "scheduler": (TEXT, "`host:port` of luigid; empty without one."),
    "toolchain": (TEXT, "The Go release."),
    "luigigo": (TEXT, "luigigo's own version."),
    "warnings": (TEXT, "What is missing of the record; empty for none."),
}

ACTIONS: Columns = {
    **_RUN,
    "action": (TEXT, "Its kind and package, as `compile net/http`; unique within a plan."),
    "kind": (TEXT, "`compile`, `cgo`, `link` or `preprofile`."),
    "package": (TEXT, "The import path, with the program in brackets where it is compiled for one alone."),
    "module": (TEXT, "The module that the package comes from; `std` for Go's own; empty where not known."),
    "attempt": (COUNT, "1 for the first; 0 for a hit that was there before the run."),
    "outcome": (TEXT, "`ran`, `cutoff`, `hit`, `failed`; `requeued` for an attempt that came to no end."),
    "node": (TEXT, "The machine."),
    "slot": (COUNT, "Which of its slots, from 0."),
    "ready_at_seconds": (
        NUMBER,
        "When all that it waits for was done, since the run began; so the next six.",
    ),
    "given_at_seconds": (NUMBER, "When a node, or a slot, was chosen for it."),
    "staged_at_seconds": (NUMBER, "When all that it reads was on its node; only on nodes."),
    "started_at_seconds": (NUMBER, "When it had its slot and its memory."),
    "tools_started_at_seconds": (NUMBER, "When its first tool ran."),
    "tools_ended_at_seconds": (NUMBER, "When its last tool had ended, or what serves was found."),
    "ended_at_seconds": (NUMBER, "When it was over, and others could read what it made."),
    "seconds": (NUMBER, "From its slot to its end."),
    "slot_seconds": (NUMBER, "How long it had the slot; nodes publish without one."),
    "tools_seconds": (NUMBER, "How long its tools ran."),
    "publishing_seconds": (NUMBER, "From its tools' end to its own."),
    "staging_seconds": (NUMBER, "How long what it reads was on its way; only on nodes."),
    "wait_slot_seconds": (NUMBER, "How long it was ready and no slot was free."),
    "wait_memory_seconds": (NUMBER, "How long there was a slot and not the memory."),
    "wait_luigid_seconds": (NUMBER, "How long there were both, and it was not given out."),
    "wait_builds_seconds": (NUMBER, "How long another build on its machine was making the same."),
    "cpu_seconds": (NUMBER, "Processor time of its tools."),
    "peak_bytes": (COUNT, "Largest resident set of any one of its processes."),
    "read_bytes": (COUNT, "What its tools were given of other actions' outputs and of bundled sources."),
    "written_bytes": (COUNT, "What it published."),
    "saved_seconds": (NUMBER, "What the run had taken whose outputs serve."),
    "made_by": (TEXT, "That run's id, where it is known."),
    "made": (TEXT, "What the store holds of it: digests' first digits, in the order of their roles' names."),
    "exit_code": (COUNT, "Of the build, where it failed by this action."),
    "cause": (TEXT, "Why the attempt came to no end."),
    "message": (TEXT, "What the tools said, where it failed."),
    "uncertainty_seconds": (NUMBER, "By how much its times may be off, beside those of other machines."),
    "is_uncertain": (TRUTH, "Whether its times contradict the order in which they must have been."),
}

PHASES: Columns = {
    **_RUN,
    "phase": (TEXT, "What the client did: `start`, `list`, `plan`, `prune`, `publish`, `schedule`, `run`, …"),
    "start_seconds": (NUMBER, "Since the run began."),
    "seconds": (NUMBER, "How long; all phases together are the run."),
}

NODES: Columns = {
    **_RUN,
    "node": (TEXT, "The machine."),
    "processor": (TEXT, "What its processor is called."),
    "slots": (COUNT, "How many of an action's cores it has."),
    "memory_bytes": (COUNT, "What all actions there may take together; 0 is no limit."),
    "attempts": (COUNT, "How many it began."),
    "ran": (COUNT, "How many actions' tools ran there."),
    "busy_seconds": (NUMBER, "Slot-seconds in which something ran."),
    "utilisation": (NUMBER, "The same as a share of its slots × makespan."),
    "staging_seconds": (NUMBER, "Of all attempts there together; so the next."),
    "publishing_seconds": (NUMBER, "From the tools' end to the end."),
    "most_uncertainty_seconds": (NUMBER, "By how much times there may be off."),
}

WAITS: Columns = {
    **_RUN,
    "node": (TEXT, "The machine whose slots these are."),
    "cause": (
        TEXT,
        "What the slots did: `running`; or why they were idle: `staging`, `publishing`, `memory`, `luigid`, "
        "`nothing ready`, `absent`, or the client's phase.",
    ),
    "slot_seconds": (NUMBER, "All of a node's add up to its slots × makespan."),
    "share": (NUMBER, "The same as a share of that."),
}

PACKAGES: Columns = {
    **_RUN,
    "package": (TEXT, "The import path."),
    "module": (TEXT, "The module that it comes from."),
    "outcome": (TEXT, "Of its actions, the one that tells most: `failed`, `ran`, `cutoff`, `hit`."),
    "actions": (COUNT, "How many actions it has in the plan."),
    "seconds": (NUMBER, "From slot to end, of all of them together, where they ran."),
    "cpu_seconds": (NUMBER, "Processor time."),
    "peak_bytes": (COUNT, "The largest of them."),
    "drag_seconds": (
        NUMBER,
        "How much sooner the whole run would end without it, on the same slots; only for the slowest.",
    ),
    "is_on_longest_chain": (TRUTH, "Whether it is on the longest chain of work."),
    "imported_through": (TEXT, "A chain of imports from a program to it, with blanks between."),
}

SUMMARY: Columns = {
    **_RUN,
    "outcome": (TEXT, "As in `runs`."),
    "makespan_seconds": (NUMBER, "From the beginning of the command to its end."),
    "client_seconds": (NUMBER, "What of that was the client's own."),
    "work_seconds": (NUMBER, "T1: slot-seconds of all actions that were done."),
    "chain_seconds": (NUMBER, "T∞: the longest chain of actions, each waiting for the one before."),
    "bound_seconds": (NUMBER, "client_seconds + max(T∞, T1/slots)."),
    "least_seconds": (NUMBER, "client_seconds + what no schedule can go below on these slots."),
    "ratio": (NUMBER, "makespan / least."),
    "nodes": (COUNT, "Machines."),
    "slots": (COUNT, "Their slots."),
    "ran": (COUNT, "As in `runs`, and the next four."),
    "cutoff": (COUNT, ""),
    "hit": (COUNT, ""),
    "failed": (COUNT, ""),
    "requeued": (COUNT, ""),
    "saved_seconds": (NUMBER, "What the actions had taken once whose outputs served."),
    "limit": (TEXT, "One sentence on what limited the run."),
}

COMPARISON: Columns = {
    "action": (TEXT, "As in `actions`."),
    "package": (TEXT, "As in `actions`."),
    "outcome": (TEXT, "In the run."),
    "other_outcome": (TEXT, "In the other run."),
    "seconds": (NUMBER, "In the run."),
    "other_seconds": (NUMBER, "In the other run."),
    "change_seconds": (NUMBER, "How much slower it became: seconds − other_seconds."),
    "change_wait_seconds": (NUMBER, "How much longer it waited from being ready to its slot."),
    "node": (TEXT, "In the run."),
    "other_node": (TEXT, "In the other run."),
    "why": (TEXT, "What differs: `input` (its key), `node`, `wait`; with blanks between, empty for none."),
}

FRAMES: dict[str, Columns] = {
    "actions": ACTIONS,
    "phases": PHASES,
    "nodes": NODES,
    "waits": WAITS,
    "packages": PACKAGES,
    "summary": SUMMARY,
}
"""The frames of one run, as `--csv` and `--parquet` write them."""
