"""The node that will end a build is chosen early, and told what is done for it."""

from __future__ import annotations

from dispatching import Luigid, Someone, action, own

from luigigo.luigid.prefetch import WIDE_FROM
from luigigo.model import Digest, Output
from luigigo.protocol import messages
from luigigo.protocol.messages import Offer

PACKAGES = [f"p{number}" for number in range(WIDE_FROM)]


def build(build_number: int = 1, packages: list[str] = PACKAGES) -> list[Offer]:
    """A program of independent packages; a later build of it has another plan, and other keys."""
    names = [f"{name}.{build_number}" for name in packages]
    offers = [own(f"build.{build_number}", f"link.{build_number}"), action(f"link.{build_number}", *names)]
    offers += [action(name) for name in names]
    for offer, name in zip(offers[1:], ["link", *packages], strict=True):
        offer.call["params"] = {"import_path": name, "plan": f"{build_number:064x}"}
    return offers


def told(node: Someone) -> list[str]:
    """The packages of which a node was told that they are done for what it will run."""
    expected = node.all(messages.Prefetch)
    assert all(each.task.params["import_path"] == "link" for each in expected)
    return [name.params["import_path"] for each in expected for name in each.done]


def test_one_node_is_told_what_is_done_for_the_last_action() -> None:
    """Of each package once, whoever made it; then it is the one to run it."""
    luigid = Luigid()
    nodes = [luigid.node(name) for name in ("n1", "n2", "n3")]
    luigid.client().offer(*build())
    while any(node.holds for node in nodes):
        for node in nodes:
            for task_id in tuple(node.holds):
                if not task_id.startswith("link"):
                    node.end(task_id)
        if any(task_id.startswith("link") for node in nodes for task_id in node.holds):
            break
    (last,) = [node for node in nodes if node.all(messages.Prefetch)]
    assert sorted(told(last)) == sorted(PACKAGES)
    assert "link.1" in last.holds


def test_another_takes_its_place_when_it_is_lost() -> None:
    """It is told of all that is done, and not only of what comes then."""
    luigid = Luigid()
    nodes = [luigid.node(name) for name in ("n1", "n2", "n3")]
    luigid.client().offer(*build())
    for node in nodes:
        node.end(next(iter(node.holds)))
    (first,) = [node for node in nodes if node.all(messages.Prefetch)]
    nodes.remove(first)
    first.lose()
    nodes[0].end(next(iter(nodes[0].holds)))
    (second,) = [node for node in nodes if node.all(messages.Prefetch)]
    assert len(told(second)) == 4


def test_the_next_build_ends_where_the_last_one_did() -> None:
    """That node has all but what changed, though little is to be done and others are as free."""
    luigid = Luigid()
    nodes = [luigid.node(name) for name in ("n1", "n2", "n3")]
    client = luigid.client()
    client.offer(*build(packages=["p0"]))
    nodes[0].end("p0.1")
    nodes[0].lose()
    (last,) = [node for node in nodes[1:] if "link.1" in node.holds]
    last.end("link.1")
    again = luigid.node("n1")
    for number in (2, 3):
        client.offer(*build(number, ["p0"]))
        (busy,) = [node for node in (again, *nodes[1:]) if f"p0.{number}" in node.holds]
        busy.end(f"p0.{number}")
        assert f"link.{number}" in last.holds
        last.end(f"link.{number}")


def test_a_single_node_is_told_nothing() -> None:
    """It has all that it made."""
    luigid = Luigid()
    node = luigid.node("n1", 4)
    luigid.client().offer(*build())
    node.end_all()
    assert "link.1" in node.given()
    assert node.all(messages.Prefetch) == []


def test_what_reads_little_is_not_told_of() -> None:
    """Its inputs are fetched soon enough when it is ready."""
    luigid = Luigid()
    nodes = [luigid.node(name) for name in ("n1", "n2")]
    luigid.client().offer(*build(packages=PACKAGES[1:]))
    for node in nodes:
        node.end(next(iter(node.holds)))
    assert [node.all(messages.Prefetch) for node in nodes] == [[], []]


def test_what_reads_much_is_told_of_wherever_it_stands() -> None:
    """A package that imports many is waited for as a link is, though others come after it; what they made is
    told with their names."""
    luigid = Luigid()
    nodes = [luigid.node(name) for name in ("n1", "n2")]
    packages = [action(name) for name in PACKAGES]
    luigid.client().offer(action("link", "wide"), action("wide", *PACKAGES), *packages)
    made = {"export": Output(Digest("1" * 64), 7)}
    task_id = next(iter(nodes[0].holds))
    nodes[0].end(task_id, made=made)
    (expected,) = [each for node in nodes for each in node.all(messages.Prefetch)]
    assert expected.task.params == {"import_path": "wide"}
    assert expected.made == {task_id: made}
