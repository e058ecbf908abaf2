"""One run of one action: its work folder, its commands, what they took and what they said."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence

from luigigo.endings import Ending, ending
from luigigo.execution.context import ExecutionContext
from luigigo.execution.events import CommandStarted
from luigigo.golang import responsefile
from luigigo.golang.actions import Action, CgoSpec, CompileSpec, Files, Plan, on_node
from luigigo.golang.compile import Layout
from luigigo.golang.environment import ARCH_VARIABLE
from luigigo.golang.run.messages import report
from luigigo.golang.run.sources import package_files, package_folder
from luigigo.golang.variables import LOCALE, TOOL_SETTINGS
from luigigo.model import Said
from luigigo.process import Command, Finished
from luigigo.store.owndisk import is_full, says_full

_numbers = itertools.count(1)

_GO_SETTINGS = frozenset(
    {"GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", *ARCH_VARIABLE.values(), *TOOL_SETTINGS}
)
"""Which values Go's tools see of these is in the action's key."""


class JobFailed(Exception):
    """A tool failed, and this is what it said."""

    ending = Ending.FAILED
    """Whether the tool itself found fault, or something else ended it."""

    def __init__(self, *said: Said) -> None:
        super().__init__(*said)
        self.said = said


class Job:
    """The state of one run. Used by one thread."""

    def __init__(
        self, action: Action, plan: Plan, context: ExecutionContext, layout: Layout, gogc: str
    ) -> None:
        """Use `start`."""
        self.action = action
        self.plan = plan
        self.layout = layout
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self._context = context
        self._gogc = gogc
        self._said: list[Said] = []

    @classmethod
    def start(
        cls, action: Action, plan: Plan, context: ExecutionContext, unpacked_dir: str, gogc: str
    ) -> Job:
        """Make the work folder and find the sources, in `unpacked_dir` if that is given. Raises `OSError`."""
        object_dir = os.path.join(context.work_dir, f"b{next(_numbers):06d}")
        os.makedirs(object_dir)
        goroot = plan.toolchain.goroot
        spec, sources = action.spec, action.sources
        source_dir = package_folder(action, unpacked_dir) if unpacked_dir else on_node(sources.dir, goroot)
        layout = Layout(
            tool_dir=plan.toolchain.tool_dir,
            goroot=goroot,
            source_dir=source_dir,
            object_dir=object_dir,
            trim_to=spec.trim_to if isinstance(spec, CompileSpec) else "",
            moved=(unpacked_dir, sources.root) if unpacked_dir and sources.root else ("", ""),
        )
        return cls(action, plan, context, layout, gogc)

    @property
    def is_on_client(self) -> bool:
        """Whether it runs where its client is."""
        return self._context.has_projects

    @property
    def said(self) -> tuple[Said, ...]:
        """What tools printed that succeeded, or that did not keep others from being run."""
        return tuple(self._said)

    def note(self, *said: Said) -> None:
        """Add to what was said."""
        self._said += said

    @property
    def backend_workers(self) -> int:
        """For `compile -c`: at least 2, for with 1 the compiler also gives up its own collector boost."""
        return max(2, min(4, self._context.cpus))

    def go_tool(
        self,
        argv: Sequence[str],
        cwd: str = "",
        variables: Mapping[str, str] | None = None,
        *,
        calls_c: bool = False,
    ) -> bool:
        """Run one of the Go tools; raise `JobFailed` with its words when it fails.

        `calls_c`: it runs C compilers or linkers itself, and these get what they get when they are run here.
        """
        env = {**(self._c_environment() if calls_c else {})}
        env |= {"GOROOT": self.layout.goroot, **self._keyed(), **(variables or {})}
        if self._gogc:
            env["GOGC"] = self._gogc
        self._refuse_argument_files(argv)
        short = responsefile.shorten(argv, self.layout.object_dir, self.plan.quoted_response_files)
        return self._run(short, cwd or self.layout.object_dir, {**self._surroundings(), **env})

    def c_tool(self, argv: Sequence[str], cwd: str, *, may_fail: bool = False) -> bool:
        """Run the C compiler; return whether it succeeded.

        Raises `JobFailed` when it did not, unless `may_fail`, and always when something else ended it.
        """
        env = {**self._surroundings(), **self._c_environment(), **self._keyed(), "TERM": "dumb"}
        if not may_fail:
            self._refuse_argument_files(argv)
        return self._run(argv, cwd, env, may_fail=may_fail)

    @property
    def variables(self) -> dict[str, str]:
        """The user's environment."""
        return self._context.variables

    def _refuse_argument_files(self, argv: Sequence[str]) -> None:
        """The go command runs nothing with an argument that may stand for a file of them (Shell.runOut)."""
        for argument in argv:
            if argument.startswith("@"):
                raise self.say(f"invalid command-line argument {argument} in command: {' '.join(argv)}")

    @property
    def current_dir(self) -> str:
        """Where go build runs the linker, for relative names in the C linker's flags (gc.go, ld)."""
        project_dir = self.plan.project_dir
        return project_dir if self._context.has_projects and os.path.isdir(project_dir) else ""

    def _surroundings(self) -> dict[str, str]:
        """What every tool gets of the user's environment."""
        user = self._context.variables
        kept = {name: user[name] for name in ("PATH", "HOME", *LOCALE) if name in user}
        return {**kept, "TMPDIR": self.layout.object_dir}

    def _c_environment(self) -> dict[str, str]:
        """All of the user's environment, where that is here: a compiler may read variables of its own."""
        if not self._context.has_projects:
            return {}
        user = {name: value for name, value in self._context.variables.items() if name not in _GO_SETTINGS}
        is_known = not getattr(getattr(self.action.spec, "compilers", None), "everything", "")
        # What a compiler leaves when it is killed goes with the work folder.
        return {**user, "TMPDIR": self.layout.object_dir} if is_known else user

    def _run(
        self, argv: Sequence[str], cwd: str, variables: Mapping[str, str], *, may_fail: bool = False
    ) -> bool:
        env = {**variables, "PWD": cwd}
        self._context.observe(CommandStarted(cwd, tuple(argv)))
        try:
            finished = self._context.runner.run(Command(argv=tuple(argv), cwd=cwd, env=env))
        except OSError as error:
            raise self.fail(f"{argv[0]}: {error.strerror}") from error
        self.cpu_seconds += finished.cpu_seconds
        self.peak_bytes = max(self.peak_bytes, finished.peak_bytes)
        ended = ending(finished.exit_code, finished.output)
        if ended is Ending.SUCCEEDED:
            if finished.output:
                self.note(self._report(finished.output))
            return True
        if may_fail and ended.is_verdict and not self._has_lost_its_disk(finished):
            return False
        failed = self._failure(argv[0], ended, finished)
        failed.ending = ended
        raise failed

    def _has_lost_its_disk(self, finished: Finished) -> bool:
        """Whether a tool that failed may have found no room, or no folder, for what it makes."""
        folder = self.layout.object_dir
        return says_full(os.fsdecode(finished.output)) or not os.path.isdir(folder) or is_full(folder)

    def _keyed(self) -> dict[str, str]:
        """The variables that are part of the action's key."""
        spec = self.action.spec
        keyed = dict(getattr(spec, "environment", ()))
        if isinstance(spec, CgoSpec):
            keyed.update(spec.compilers.environment)
        return keyed

    def _report(self, output: bytes) -> Said:
        text, package_dir = os.fsdecode(output), self.package_dir
        if self.action.sources.bundle is not None:
            text = text.replace(self.layout.source_dir, package_dir)
            here, home = self.layout.moved
            text = text.replace(here, home) if here else text
        return report(self.action.label, text, package_dir, self.layout.object_dir)

    @property
    def package_dir(self) -> str:
        """The package's folder, as its user calls it; "" where there is none."""
        return on_node(self.action.sources.dir, self.layout.goroot)

    @property
    def c_root(self) -> tuple[str, str]:
        """What C objects hide: a folder of this node, and the name that it gets in its place."""
        assert isinstance(self.action.spec, CgoSpec)
        sources, name = self.action.sources, self.action.spec.map_root_to
        if sources.bundle is None:
            return on_node(sources.map_root, self.layout.goroot), name
        inside = sources.dir.removeprefix(sources.map_root)
        return self.layout.source_dir, name + (inside.replace("/", "\\") if "\\" in name else inside)

    def _failure(self, tool: str, ended: Ending, finished: Finished) -> JobFailed:
        exit_code, output = finished.exit_code, finished.output
        if ended is Ending.KILLED:
            what = f"{os.path.basename(tool)} was killed on node {self._context.node}: out of memory?"
            here = self._context.has_projects
            advice = " the next run gives it more room; or use fewer --workers" if here else ""
            return self.fail(f"{os.fsdecode(output)}{what}{advice}")
        if output:
            return JobFailed(self._report(output))
        status = f"signal {-exit_code}" if exit_code < 0 else f"exit status {exit_code}"
        return self.fail(f"{tool}: {status}")

    def fail(self, text: str) -> JobFailed:
        """An error of this action in words of our own."""
        return JobFailed(Said((f"# {self.action.label}\n{text}\n",), is_verbatim=True))

    def say(self, text: str) -> JobFailed:
        """An error that the go command itself finds in a package, in its words."""
        return JobFailed(Said((f"{self.action.label}: {text}\n",), is_verbatim=True))

    def refuse(self, text: str) -> JobFailed:
        """An error of this action in the go command's words, with whole paths."""
        return JobFailed(self._report(os.fsencode(text)))

    def changed_source(self) -> str:
        """A source file that is no longer what the key says, or ""."""
        for file in input_files(self.action):
            path = file.name if os.path.isabs(file.name) else self.layout.source(file.name)
            try:
                same = self._context.hashes.digest(path) == file.digest
            except OSError:
                same = False
            if not same:
                return path
        return ""


def input_files(action: Action) -> Files:
    """Every file that the action reads and that may change: its package's, and what C reads of the system."""
    return (*package_files(action), *action.sources.system_files)
