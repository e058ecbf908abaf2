"""Asking a node: an agent at the other end of an SSH connection, or in this very process.

The command that SSH runs is one constant. Whatever differs from node to node, names, paths, parameters,
travels on the agent's standard input and is never part of a line that a shell reads.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from luigigo.cluster.agent import ANSWER, AgentQuestion, Answer, answer_codec, answer_to, question_codec
from luigigo.cluster.messages import NodeError
from luigigo.clusterfile import NodeEntry

if TYPE_CHECKING:
    import paramiko
    from fabric import Connection

COMMAND = "exec /bin/sh -c 'cd / && IFS= read -r python && exec \"$python\" -m luigigo.cluster.agent'"
"""What runs on a node. From the root folder, for python -m looks for modules in the current one."""

CONNECT_SECONDS = 5.0
_NOT_FOUND = 127
_PARALLEL = 32
_STDERR_BYTES = 8192
_STATUS_SECONDS = 2.0
_LONGEST_ANSWER_BYTES = 16 << 20

T = TypeVar("T")
Key = TypeVar("Key")
Result = TypeVar("Result")


class Link(Protocol):
    """A node that can be asked."""

    def ask(self, verb: str, request: msgspec.Struct, answer_type: type[T], limit_seconds: float) -> T:
        """Put one question. Raises `NodeError`, after which the link is of no more use if it was too late."""

    def close(self) -> None:
        """Let the node go; its daemons stay."""


class LocalLink:
    """This machine."""

    def ask(self, verb: str, request: msgspec.Struct, answer_type: type[T], limit_seconds: float) -> T:
        """Do it here, in a thread that is left behind when it hangs on a dead share."""
        asked = msgspec.to_builtins(request)
        answers = in_parallel({"": lambda: answer_to(verb, asked)}, limit_seconds)
        answer = answers[""]
        if isinstance(answer, BaseException):
            raise NodeError(str(answer))
        return _decode(answer, answer_type)

    def close(self) -> None:
        """Nothing to do."""


class SshLink:
    """A node over SSH, with one agent for all questions."""

    def __init__(self, connection: Connection, channel: paramiko.Channel) -> None:
        """Use `connect`."""
        self._connection = connection
        self._channel = channel
        self._buffer = b""

    def ask(self, verb: str, request: msgspec.Struct, answer_type: type[T], limit_seconds: float) -> T:
        """Put one question to the agent. Raises `NodeError`."""
        deadline = time.monotonic() + limit_seconds
        line = question_codec.encode(AgentQuestion(verb, request)) + b"\n"
        try:
            self._channel.settimeout(limit_seconds)
            self._channel.sendall(line)
            while not (line := self._line(deadline)).startswith(ANSWER):
                pass
        except TimeoutError as error:
            raise NodeError(f"no answer to {verb!r} within {limit_seconds:.0f} s") from error
        except OSError as error:
            raise NodeError(self._death()) from error
        try:
            return _decode(answer_codec.decode(line[len(ANSWER) :]), answer_type)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NodeError(
                f"an answer that makes no sense: {error}; run luigigo cluster bootstrap"
            ) from error

    def close(self) -> None:
        """End the agent and the connection."""
        self._channel.close()
        self._connection.close()

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or len(self._buffer) > _LONGEST_ANSWER_BYTES:
                raise TimeoutError
            self._channel.settimeout(left)
            piece = self._channel.recv(1 << 16)
            if not piece:
                raise NodeError(self._death())
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _death(self) -> str:
        """Why the agent is gone."""
        self._channel.settimeout(2.0)
        said = b""
        try:
            while len(said) < _STDERR_BYTES and (piece := self._channel.recv_stderr(_STDERR_BYTES)):
                said += piece
        except OSError:
            pass
        # The exit status may come after the end of what was said.
        self._channel.status_event.wait(_STATUS_SECONDS)
        exit_code = self._channel.exit_status
        return why_no_agent(None if exit_code < 0 else exit_code, said.decode(errors="replace"))


def connect(entry: NodeEntry, interpreter: str, *, accept_new_host_keys: bool) -> SshLink:
    """Log in and start the agent. Raises `NodeError` that says what to do."""
    from luigigo.cluster.ssh import open_channel

    connection, channel = open_channel(entry, COMMAND, CONNECT_SECONDS, accept_new=accept_new_host_keys)
    try:
        channel.settimeout(CONNECT_SECONDS)
        channel.sendall(interpreter.encode() + b"\n")
    except OSError as error:
        connection.close()
        raise NodeError(f"the connection broke: {error}") from error
    return SshLink(connection, channel)


def why_no_agent(exit_code: int | None, said: str) -> str:
    """What to tell the user when the agent has ended before it answered."""
    last = said.strip().splitlines()[-1] if said.strip() else ""
    remedy = (
        "run luigigo cluster bootstrap with a --base that every node has, "
        "or set python: in the cluster's file"
    )
    if exit_code == _NOT_FOUND or exit_code == 126:
        return f"its Python cannot be started ({last or exit_code}); {remedy}"
    if "No module named" in said:
        return f"its Python has no luigigo ({last}); {remedy}"
    if exit_code is None:
        return f"the connection broke{': ' + last if last else ''}"
    return f"the agent ended with {exit_code}: {last or 'it said nothing'}"


def is_here(host: str) -> bool:
    """Whether a host's name or address is one of this machine."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_is_own(family, address) for family, _, _, _, address in found)


def in_parallel(
    works: Mapping[Key, Callable[[], Result]], limit_seconds: float, at_once: int = _PARALLEL
) -> dict[Key, Result | Exception]:
    """Do all at the same time; an exception is the result of what raised it, `NodeError` of what is late.

    What is late is left behind in its thread, which does not keep the process alive.
    """
    results: dict[Key, Result | Exception] = {}
    gate = threading.Semaphore(at_once)

    def run(key: Key, work: Callable[[], Result]) -> None:
        with gate:
            try:
                results[key] = work()
            except Exception as error:
                results[key] = error

    threads = [
        threading.Thread(target=run, args=(key, work), name=f"ask-{key}", daemon=True)
        for key, work in works.items()
    ]
    deadline = time.monotonic() + limit_seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = NodeError(f"no answer within {limit_seconds:.0f} s")
    return {key: results.get(key, late) for key in works}


def in_background(work: Callable[[], Result]) -> Future[Result]:
    """Begin something whose end may be waited for, but that does not keep the process alive."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _is_own(family: int, address: tuple[object, ...]) -> bool:
    """Only a machine's own addresses can be bound to."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address[0], 0, *address[2:]))
        except OSError:
            return False
        return True


def _decode(answer: Answer, answer_type: type[T]) -> T:
    if answer.flaw:
        raise NodeError(answer.flaw)
    try:
        return msgspec.convert(answer.answer, answer_type)
    except msgspec.DecodeError as error:
        raise NodeError(f"an answer that makes no sense: {error}; run luigigo cluster bootstrap") from error
