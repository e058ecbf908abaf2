"""The far end of a connection: answers one line of JSON with one line, until its input ends. Runs on a node.

What it is asked comes over the user's own SSH connection, so it may do whatever the user may. What it
answers starts with a mark of its own, for a login shell may print on the same stream.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from luigigo.cluster import messages
from luigigo.encoding import Codec
from luigigo.errors import LuigigoError

ANSWER = b"luigigo-answer: "


class AgentQuestion(msgspec.Struct, frozen=True):
    """One line from the near end."""

    verb: str
    request: Any


class Answer(msgspec.Struct, frozen=True):
    """One line back; `flaw` is "" when there is an answer."""

    answer: Any = None
    flaw: str = ""


question_codec = Codec[AgentQuestion](msgspec.json, AgentQuestion)
answer_codec = Codec[Answer](msgspec.json, Answer)


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer questions until there are no more."""
    for line in iter(questions.readline, b""):
        try:
            question = question_codec.decode(line)
            answer = answer_to(question.verb, question.request)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            answer = Answer(flaw=f"the agent does not understand what it is asked: {error}")
        answers.write(ANSWER + answer_codec.encode(answer) + b"\n")
        answers.flush()


def answer_to(verb: str, request: Any) -> Answer:
    """Do what one question asks, a tree of JSON; a failure is an answer, too."""
    try:
        request_type, act = _act_of(verb)
        result = act(msgspec.convert(request, request_type))
    except (LuigigoError, msgspec.DecodeError) as error:
        return Answer(flaw=str(error))
    except Exception as error:
        # The near end prints it with the node's name; a traceback would end on a stream that nobody reads.
        return Answer(flaw=f"{type(error).__name__}: {error}")
    return Answer(answer=msgspec.to_builtins(result))


def _act_of(verb: str) -> tuple[type[Any], Callable[[Any], object]]:
    from luigigo.cluster import duties, marks

    # Loading the probe loads all that it asks; other questions are spared it.
    if verb == "probe":
        from luigigo.cluster.probe import probe

        return messages.ForNode, probe
    acts: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
        "write": (messages.Marks, marks.write),
        "remove": (messages.Marks, marks.remove),
        "look": (messages.Look, marks.look),
        "clock": (messages.Nothing, duties.clock),
        "reach": (messages.Reach, duties.reach),
        "start": (messages.Start, duties.start),
        "stop": (messages.Stop, duties.stop),
        "log": (messages.ReadLog, duties.read_log),
    }
    if verb not in acts:
        raise messages.ClusterError(f"the agent does not know how to {verb!r}; run luigigo cluster bootstrap")
    return acts[verb]


def main() -> None:
    """Serve standard input; whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
