"""What is killed for memory is given more where there is more; what is held counts as what was set aside."""

from __future__ import annotations

from dispatching import DONE, FAILED, Luigid, action

from luigigo.attempts import Attempt
from luigigo.protocol import messages
from luigigo.protocol.messages import Notice


def killed(bytes_taken: int) -> dict[str, Attempt]:
    return {"attempt": Attempt(peak_bytes=bytes_taken)}


def test_an_action_that_is_killed_runs_where_there_is_more() -> None:
    """It finishes in the same build, and its client hears of it."""
    luigid = Luigid()
    small, client = luigid.node("small", memory_bytes=1000), luigid.client()
    client.offer(action("a", peak_bytes=600))
    large = luigid.node("large", memory_bytes=4000)
    small.end("a", "killed", "# a\ncompile was killed", **killed(900))
    assert large.given() == ["a"]
    assert large.all(messages.Work)[-1].grants[0].peak_bytes == 1350
    assert "a was killed for memory" in client.all(Notice)[-1].text
    large.end("a")
    assert luigid.status("a") == DONE
    assert client.overs() == [()]


def test_it_has_all_of_the_largest_node_before_it_fails() -> None:
    """Beside nothing else; then the tool's own message arrives."""
    luigid = Luigid()
    node, client = luigid.node("n1", 4, memory_bytes=1000), luigid.client()
    client.offer(action("a", peak_bytes=300, priority=9), action("b", peak_bytes=100))
    assert node.given() == ["a", "b"]
    node.end("a", "killed", "# a\ncompile was killed", **killed(200))
    node.end("a", "killed", "# a\ncompile was killed", **killed(200))
    assert node.given() == ["a", "b", "a"]
    node.end("b")
    assert node.given() == ["a", "b", "a", "a"]
    assert node.all(messages.Work)[-1].grants[0].peak_bytes == 1000
    node.end("a", "killed", "# a\ncompile was killed", **killed(990))
    assert luigid.status("a") == FAILED
    assert client.all(messages.Progress)[-1].explanation == "# a\ncompile was killed"


def test_being_killed_is_no_loss_of_a_worker() -> None:
    """Where memory has no limit it ends as well, and the node goes on with other work."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"), action("b"))
    times = 0
    while luigid.status("a") != FAILED:
        node.end("a", "killed", "no", **killed(100))
        times += 1
        assert times < 20
    assert "b" in node.given()
    node.end("b")
    assert client.overs() == [("a",)]


def test_equal_actions_of_others_ask_for_more_as_well() -> None:
    """Whoever runs it next has learned from the first."""
    luigid = Luigid()
    node, first, second = luigid.node("n1", memory_bytes=4000), luigid.client("one"), luigid.client("two")
    first.offer(action("a", key="same", peak_bytes=600))
    second.offer(action("b", key="same", peak_bytes=600))
    node.end("a", "killed", "no", **killed(900))
    grants = [grant for work in node.all(messages.Work) for grant in work.grants]
    assert [grant.peak_bytes for grant in grants] == [600, 1350]


def test_what_a_worker_holds_counts_after_luigid_was_restarted() -> None:
    """A node that is full is given nothing more, though no client has said yet what that takes."""
    luigid = Luigid("second")
    node = luigid.node("n1", 4, held=[("a", 7, 900)], memory_bytes=1000)
    client = luigid.client()
    client.offer(action("b", peak_bytes=200), run=False)
    assert node.given() == []
    client.offer(action("a", peak_bytes=900))
    assert node.given() == []
    node.holds["a"] = 7
    node.end("a")
    assert node.given() == ["b"]


def test_a_client_with_two_toolchains_is_told_of_the_one_that_is_nowhere() -> None:
    """And when it takes part it runs actions of both."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("old", toolchain="go0", priority=9), action("new"))
    assert client.all(Notice)[-1].workers == 0
    assert node.given() == ["new"]
    client.say(messages.Join(0))
    assert client.given() == ["old"]
    client.end_all()
    client.offer(action("older", toolchain="go00"))
    assert client.given() == ["old", "older"]
