"""What luigigo puts into Luigi, and that Luigi still has the places for it."""

from __future__ import annotations

import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi
import luigi.interface
import luigi.retcodes
import luigi.rpc
import luigi.scheduler
import luigi.task
import luigi.worker
import pytest
from luigi.cmdline_parser import CmdlineParser
from runs import Flows

from luigigo.client import commandline, factory, hooks
from luigigo.client.factory import SlotFactory
from luigigo.client.local_worker import SlotWorker
from luigigo.client.slot_worker import ForkedTask
from luigigo.errors import ExitCode, UsageError
from luigigo.scheduling.scheduler import ReadyScheduler

STOCK_FACTORY: Any = SlotFactory.__base__

SIGNATURES: list[tuple[Callable[..., Any], str]] = [
    (STOCK_FACTORY.create_local_scheduler, "(self)"),
    (STOCK_FACTORY.create_remote_scheduler, "(self, url)"),
    (
        STOCK_FACTORY.create_worker,
        "(self, scheduler, worker_processes, assistant=False)",
    ),
    (luigi.retcodes.run_with_retcodes, "(argv)"),
    (commandline._stock_build_parser, "(root_task=None, help_all=False)"),
    (commandline._stock_help, "(parser, known_args)"),
    (commandline._stock_task, "(self)"),
    (luigi.Parameter.has_task_value, "(self, task_name, param_name)"),
    (
        luigi.scheduler.Scheduler.__init__,
        "(self, config=None, resources=None, task_history_impl=None, **kwargs)",
    ),
    (
        luigi.scheduler.Scheduler.get_work,
        "(self, host=None, assistant=False, current_tasks=None, worker=None, **kwargs)",
    ),
    (luigi.scheduler.Scheduler.count_pending, "(self, worker)"),
    (luigi.scheduler.Scheduler.prune, "(self)"),
    (luigi.scheduler.Scheduler.load, "(self)"),
    (luigi.scheduler.Scheduler._update_priority, "(self, task, prio, worker)"),
    (luigi.scheduler.Scheduler._update_worker, "(self, worker_id, worker_reference=None, get_work=False)"),
    (luigi.scheduler.Scheduler._update_task_history, "(self, task, status, host=None)"),
    (luigi.scheduler.Scheduler._rank, "(self, task)"),
    (luigi.scheduler.Scheduler.update_metrics_task_started, "(self, task)"),
    (
        luigi.scheduler.Scheduler.task_list,
        "(self, status='', upstream_status='', limit=True, search=None, max_shown_tasks=None, **kwargs)",
    ),
    (luigi.scheduler.Scheduler.re_enable_task, "(self, task_id)"),
    (luigi.scheduler.Scheduler.dep_graph, "(self, task_id, include_done=True, **kwargs)"),
    (luigi.scheduler.Scheduler._serialize_task, "(self, task_id, include_deps=True, deps=None)"),
    (
        luigi.scheduler.Scheduler._traverse_graph,
        "(self, root_task_id, seen=None, dep_func=None, include_done=True)",
    ),
    (luigi.scheduler.Scheduler.get_task_status_message, "(self, task_id)"),
    (luigi.scheduler.Scheduler.get_scheduler_message_response, "(self, task_id, message_id)"),
    (luigi.scheduler.Scheduler.fetch_error, "(self, task_id, **kwargs)"),
    (luigi.task.task_id_str, "(task_family, params)"),
    (luigi.scheduler.SimpleTaskState.__init__, "(self, state_path)"),
    (luigi.scheduler.SimpleTaskState.get_task, "(self, task_id, default=None, setdefault=None)"),
    (luigi.scheduler.SimpleTaskState.set_status, "(self, task, new_status, config=None)"),
    (luigi.scheduler.SimpleTaskState.inactivate_tasks, "(self, delete_tasks)"),
    (luigi.scheduler.SimpleTaskState.load, "(self)"),
    (
        luigi.worker.Worker.__init__,
        "(self, scheduler=None, worker_id=None, worker_processes=1, assistant=False, **kwargs)",
    ),
    (luigi.worker.Worker.add, "(self, task, multiprocess=False, processes=0)"),
    (luigi.worker.Worker._add, "(self, task, is_complete)"),
    (luigi.worker.Worker._add_task, "(self, *args, **kwargs)"),
    (luigi.worker.Worker._add_worker, "(self)"),
    (luigi.worker.Worker._create_task_process, "(self, task)"),
    (luigi.worker.Worker._email_unexpected_error, "(self, task, formatted_traceback)"),
    (luigi.worker.Worker._get_work, "(self)"),
    (luigi.worker.Worker._handle_next_task, "(self)"),
    (luigi.worker.Worker._keep_alive, "(self, get_work_response)"),
    (luigi.worker.Worker._log_complete_error, "(self, task, tb)"),
    (luigi.worker.Worker._log_dependency_error, "(self, task, tb)"),
    (luigi.worker.Worker._log_remote_tasks, "(self, get_work_response)"),
    (luigi.worker.Worker._log_unexpected_error, "(self, task)"),
    (luigi.worker.Worker._run_task, "(self, task_id)"),
    (luigi.worker.Worker._sleeper, "(self)"),
    (luigi.worker.Worker._start_phasing_out, "(self)"),
    (luigi.worker.Worker._validate_task, "(self, task)"),
    (luigi.worker.TaskProcess._forward_attributes, "(self)"),
    (luigi.worker.TaskProcess._run_get_new_deps, "(self)"),
    (luigi.worker.TaskStatusReporter.__init__, "(self, scheduler, task_id, worker_id, scheduler_messages)"),
    (luigi.worker.TracebackWrapper.__init__, "(self, trace)"),
    (luigi.worker.check_complete_cached, "(task, completion_cache=None)"),
    (luigi.worker._get_retry_policy_dict, "(task)"),
    (
        luigi.worker.ContextManagedTaskProcess.__init__,
        "(self, context, *args, **kwargs)",
    ),
    (
        luigi.worker.TaskProcess.__init__,
        "(self, task, worker_id, result_queue, status_reporter, use_multiprocessing=False, worker_timeout=0, "
        "check_unfulfilled_deps=True, check_complete_on_run=False, task_completion_cache=None)",
    ),
]
"""Every method of Luigi's that is replaced, extended or called though it is private or may change."""


@pytest.mark.parametrize(
    ("method", "signature"), SIGNATURES, ids=lambda value: getattr(value, "__qualname__", "")
)
def test_luigi_has_what_is_hooked(method: Callable[..., Any], signature: str) -> None:
    """Luigi's methods take what ours take and call them with."""
    assert str(inspect.signature(method)) == signature


def test_luigi_looks_the_hooks_up_late() -> None:
    """Luigi finds factory and codes by name when it runs, so that replacing the names suffices."""
    assert "_WorkerSchedulerFactory()" in inspect.getsource(luigi.interface._schedule_and_run)
    source = inspect.getsource(luigi.retcodes.run_with_retcodes)
    assert "retcodes = retcode()" in source
    asked = {
        "missing_data",
        "task_failed",
        "already_running",
        "not_run",
        "scheduling_error",
        "unhandled_exception",
    }
    assert all(f"retcodes.{name}" in source for name in asked)


def test_luigi_objects_have_the_fields_in_use() -> None:
    """The fields of Luigi's objects that ours read and write are there."""
    scheduler = luigi.scheduler.Scheduler()
    for name in ("_state", "_config", "_make_task", "_paused"):
        assert hasattr(scheduler, name)
    for name in ("_tasks", "_status_tasks", "_task_batchers", "_metrics_collector"):
        assert hasattr(scheduler._state, name)
    worker = luigi.worker.Worker(scheduler)
    fields = (
        "_task_result_queue _running_tasks _scheduled_tasks _batch_running_tasks _add_task_history "
        "_get_work_response_history _first_task _idle_since _stop_requesting_work _task_completion_cache "
        "_assistant _id _config add_succeeded run_succeeded"
    )
    for name in fields.split():
        assert hasattr(worker, name)
    remote = luigi.rpc.RemoteScheduler()
    assert hasattr(remote, "_rpc_retry_attempts")
    assert hasattr(remote, "_connect_timeout")


def test_an_error_is_at_hand_where_requires_failed() -> None:
    """Luigi reports an error of `requires` from within the handler of that error."""
    source = inspect.getsource(luigi.worker.Worker._add)
    handler = source.index("except Exception as ex")
    assert handler < source.index("self._log_dependency_error") < source.index("deps = None", handler)


def test_ours_are_luigis() -> None:
    """Our pieces are Luigi's by type, for code that asks."""
    assert issubclass(ReadyScheduler, luigi.scheduler.Scheduler)
    assert issubclass(SlotWorker, luigi.worker.Worker)
    assert issubclass(ForkedTask, luigi.worker.TaskProcess)


def test_installing_twice_is_harmless() -> None:
    """`install` may be called by every module that needs it."""
    hooks.install()
    installed = luigi.interface._WorkerSchedulerFactory, luigi.retcodes.retcode
    hooks.install()
    assert (luigi.interface._WorkerSchedulerFactory, luigi.retcodes.retcode) == installed
    assert installed[0] is SlotFactory


CODES = [
    ("Slot", "", 0),
    ("Fails", "", ExitCode.BUILD_FAILED),
    ("FailsInStore", "", ExitCode.STORE),
    ("Unplannable", "", ExitCode.PLAN_FAILED),
    ("FailsInStore", "[retcode]\ntask_failed = 30\n", 30),
    ("FailsInStore", "[retcode]\nscheduling_error = 30\n", ExitCode.STORE),
    ("Fails", "[retcode]\ntask_failed = 0\nnot_run = 7\n", 7),
]


@pytest.mark.parametrize(("task", "configuration", "code"), CODES)
def test_exit_codes(flows: Flows, task: str, configuration: str, code: int) -> None:
    """The user's codes win over those of the errors, and these over the defaults."""
    if configuration:
        (flows.folder / "luigi.cfg").write_text(configuration)
    ended = flows.local(task)
    assert ended.returncode == code, ended.stderr


def test_exit_codes_from_the_command_line(flows: Flows) -> None:
    """A code given on the command line wins."""
    assert flows.local("FailsInStore", "--retcode-task-failed", "31").returncode == 31


def test_configured_values_stay(flows: Flows) -> None:
    """What luigi.cfg says of workers and logging is not replaced."""
    (flows.folder / "luigi.cfg").write_text("[core]\nworkers = 3\nlog_level = WARNING\n")
    assert "Running Worker" not in flows.local("Slot").stderr
    (flows.folder / "luigi.cfg").write_text("[core]\nworkers = 3\n")
    assert "Running Worker with 3 processes" in flows.local("Chain").stderr


def test_equal_commands_run_at_once(flows: Flows) -> None:
    """Luigi's lock against a second equal command is off."""
    first = flows.start("Waits", "--local-scheduler")
    flows.wait_for()
    (flows.folder / "waiting-root").unlink()
    second = flows.start("Waits", "--local-scheduler")
    flows.wait_for()
    flows.allow()
    assert [first.wait(timeout=60), second.wait(timeout=60)] == [0, 0]


@pytest.fixture
def default_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A listening socket at what counts as the default address; close it and nothing listens there."""
    monkeypatch.setenv("XDG_STATE_HOME", "/absent")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(factory, "DEFAULT_URL", f"http://localhost:{server.getsockname()[1]}/")
        yield server


def test_without_luigid_this_process_schedules(
    default_port: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the default address, no luigid means a scheduler in this process, and a line that says so."""
    default_port.close()
    assert isinstance(SlotFactory().create_remote_scheduler(factory.DEFAULT_URL), ReadyScheduler)
    assert "no luigid at localhost:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "message"), [('{"response": {"paused": false}}', "using luigid"), ("hello", "is not luigid")]
)
def test_what_listens_is_asked(
    default_port: socket.socket, capsys: pytest.CaptureFixture[str], answer: str, message: str
) -> None:
    """At the default address a luigid is used, and another service is left alone."""

    def serve() -> None:
        for _ in range(3):
            connection, _ = default_port.accept()
            with connection:
                if connection.recv(4096):
                    connection.sendall(f"HTTP/1.0 200 OK\r\n\r\n{answer}".encode())
                    connection.shutdown(socket.SHUT_WR)
                    # Closed with the rest of the request unread, the connection would be reset.
                    while connection.recv(4096):
                        pass

    thread = threading.Thread(target=serve)
    thread.start()
    made = SlotFactory().create_remote_scheduler(factory.DEFAULT_URL)
    thread.join()
    assert isinstance(made, luigi.rpc.RemoteScheduler) == (message == "using luigid")
    assert message in capsys.readouterr().err


def test_a_named_luigid_must_answer(flows: Flows, tmp_path: Path) -> None:
    """A luigid that the user named and that is not there is an error, without traceback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ended = flows.run("Slot", "--scheduler-port", str(port))
    assert ended.returncode == ExitCode.USAGE
    assert f"no luigid answers at localhost:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
    with pytest.raises(UsageError):
        luigi.build([luigi.Task()], scheduler_port=port)


def test_parsers_are_built_anew_for_new_tasks() -> None:
    """A task that is defined later is known to the next parser; equal ones are shared."""
    before = CmdlineParser._build_parser()
    assert CmdlineParser._build_parser() is before

    class DefinedLater(luigi.Task):
        size = luigi.Parameter()

    after = CmdlineParser._build_parser("DefinedLater")
    assert after.parse_args(["DefinedLater", "--size", "3"]).size == "3"
    assert CmdlineParser._build_parser() is not before
