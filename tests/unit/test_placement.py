"""Which node runs a ready task."""

from __future__ import annotations

from luigigo.luigid.placement import Capacity, choose, could_begin, enlarged, has_slot_for
from luigigo.protocol.messages import Needs


def node(slots: int = 4, memory_bytes: int = 0, given: int = 0, each_bytes: int = 0) -> Capacity:
    """A node with some tasks on it."""
    capacity = Capacity(slots, memory_bytes, {"go"})
    for number in range(given):
        capacity.give(f"given {number}", needs(each_bytes))
    return capacity


def needs(peak_bytes: int = 0, *more: str, runs_alone: bool = False, cores: float = 1.0) -> Needs:
    return Needs("key", ("go", *more), cores, peak_bytes, runs_alone)


def test_the_largest_share_of_free_cores_wins() -> None:
    """Half of two slots is more than a quarter of eight."""
    half, quarter = node(2, given=1), node(8, given=6)
    assert choose([quarter, half], "t", needs()) is half


def test_a_task_waits_only_where_no_slot_is_free() -> None:
    """A task is given ahead to the node with the fewest waiting, within its limit."""
    full, free = node(4, given=4), node(1)
    assert choose([full, free], "t", needs()) is free
    assert choose([full], "t", needs()) is full
    assert choose([node(4, given=5)], "t", needs()) is None
    assert choose([node(8, given=9), node(8, given=8)], "t", needs()).given_bytes == 0  # type: ignore[union-attr]


def test_closed_and_unsuitable_nodes_are_left_out() -> None:
    """A node that takes nothing, has another Go or lacks the C compiler is not chosen, nor kept free."""
    closed, other, lacking = node(), node(memory_bytes=10, given=1, each_bytes=9), node()
    closed.is_open = False
    other.features = {"another"}
    lacking.lacks.add("?gcc")
    assert choose([closed, other, lacking], "t", needs(5, "?gcc")) is None
    assert [each.reserved_for for each in (closed, other, lacking)] == ["", "", ""]


def test_the_roomiest_node_is_kept_free_for_what_does_not_fit() -> None:
    """A task without room has one node reserved, which takes nothing else until it was given."""
    tight, roomy = node(4, 100, 1, 90), node(4, 100, 1, 50)
    assert choose([tight, roomy], "giant", needs(60)) is None
    assert (tight.reserved_for, roomy.reserved_for) == ("", "giant")
    assert choose([roomy], "small", needs(1)) is None
    assert choose([tight, roomy], "small", needs(1)) is tight
    roomy.take_back("given 0")
    assert choose([tight, roomy], "giant", needs(60)) is roomy
    roomy.give("giant", needs(60))
    assert roomy.reserved_for == ""


def test_one_task_at_a_time_has_a_reservation() -> None:
    """A second task that does not fit keeps no further node free, nor the same task a second node."""
    one, two = node(4, 100, 1, 80), node(4, 100, 1, 70)
    assert choose([one, two], "first", needs(50)) is None
    assert choose([one, two], "second", needs(50)) is None
    one.take_back("given 0")
    one.give("other", needs(60))
    assert choose([one, two], "first", needs(50)) is None
    assert (one.reserved_for, two.reserved_for) == ("", "first")


def test_who_is_placed_elsewhere_gives_its_reservation_up() -> None:
    """A node that was kept free for a task takes others when the task fits elsewhere first."""
    kept, other = node(4, 100, 1, 80), node(4, 100, 2, 50)
    assert choose([kept, other], "giant", needs(60)) is None
    assert kept.reserved_for == "giant"
    other.take_back("given 0")
    other.take_back("given 1")
    assert choose([kept, other], "giant", needs(60)) is other
    assert kept.reserved_for == ""


def test_a_task_too_large_for_all_goes_to_the_largest_alone() -> None:
    """What no node has memory for waits until the largest one is empty."""
    small, large = node(4, 50), node(4, 100, 1, 10)
    assert choose([small, large], "giant", needs(500)) is None
    assert large.reserved_for == "giant"
    large.take_back("given 0")
    assert choose([small, large], "giant", needs(500)) is large


def test_a_large_task_waits_for_a_large_node() -> None:
    """An idle node that is too small is not taken while a large enough one is merely busy."""
    small, large = node(4, 50), node(1, 1000, 2, 10)
    assert choose([small, large], "giant", needs(500)) is None
    assert small.reserved_for == ""


def test_a_task_that_runs_alone_shares_a_node_with_none() -> None:
    """Such a task waits for an empty node, and nothing is put beside it."""
    busy, empty = node(4, given=1), node(4)
    assert choose([busy], "alone", needs(runs_alone=True)) is None
    assert choose([busy, empty], "alone", needs(runs_alone=True)) is empty
    empty.give("alone", needs(runs_alone=True))
    assert choose([empty], "t", needs()) is None


def test_giving_twice_counts_once() -> None:
    """A task that is given again, with other needs, replaces itself; taking back is harmless."""
    capacity = node(4, 100)
    capacity.give("t", needs(10))
    capacity.give("t", needs(30))
    assert (capacity.given_bytes, capacity.free_cores) == (30, 3)
    capacity.take_back("t")
    capacity.take_back("t")
    assert (capacity.given_bytes, capacity.free_cores) == (0, 4)


def test_what_could_begin_and_what_could_wait() -> None:
    """A task begins at once only with a slot and the memory, and may wait with neither."""
    full = node(4, 100, 4, 25)
    assert has_slot_for(full, needs(50))
    assert not could_begin(full, needs())
    free = node(4, 100, 1, 60)
    assert could_begin(free, needs(40))
    assert not could_begin(free, needs(41))
    assert not could_begin(node(4, 100), needs(500))
    free.reserved_for = "giant"
    assert not could_begin(free, needs())


def test_what_was_killed_asks_for_twice_as_much_while_a_node_has_it() -> None:
    """Or for half more than it had taken, if that is more; then for all of the largest node, once."""
    small, large = node(memory_bytes=1000), node(memory_bytes=3000)
    assert enlarged(needs(500), 0, [small, large]) == needs(1000)
    assert enlarged(needs(500), 1000, [small, large]) == needs(1500)
    assert enlarged(needs(2000), 0, [small, large]) == needs(3000, runs_alone=True)
    assert enlarged(needs(3000, runs_alone=True), 2900, [small, large]) is None


def test_only_nodes_that_could_run_it_count() -> None:
    """One without a limit has room for anything."""
    other = node()
    other.features = {"another"}
    assert enlarged(needs(600), 0, [node(memory_bytes=1000), other]) == needs(1000, runs_alone=True)
    assert enlarged(needs(600), 0, [node(memory_bytes=1000), node()]) == needs(1200)


def test_fractions_of_cores_are_packed() -> None:
    """Ten tenths fill a core, and the eleventh waits; nothing is left over when all are taken back."""
    one = node(1)
    for number in range(10):
        assert choose([one], f"t{number}", needs(cores=0.1), ahead=False) is one
        one.give(f"t{number}", needs(cores=0.1))
    assert choose([one], "t", needs(cores=0.1), ahead=False) is None
    assert choose([one], "none", needs(cores=0.0), ahead=False) is one
    for number in range(10):
        one.take_back(f"t{number}")
    assert one.free_cores == 1


def test_what_needs_several_cores_is_not_starved() -> None:
    """A node is kept for it, though smaller ones would fit there all the time; none that is too small."""
    small, busy, other = node(2), node(4, given=3), node(4, given=4)
    assert choose([small, busy, other], "wide", needs(cores=4.0), ahead=False) is None
    assert [each.reserved_for for each in (small, busy, other)] == ["", "wide", ""]
    assert choose([busy], "narrow", needs()) is None
    assert choose([small, busy], "narrow", needs()) is small
    for number in range(3):
        busy.take_back(f"given {number}")
    assert choose([small, busy, other], "wide", needs(cores=4.0)) is busy
    assert choose([small], "wider", needs(cores=3.0)) is None
    assert small.reserved_for == ""


def test_all_features_are_needed() -> None:
    """What nodes tell must be told; what they look for only when asked counts until they lack it."""
    plain, able = node(), node()
    able.features = {"go", "jobs"}
    assert choose([plain, able], "t", needs(0, "jobs", "?cc:1")) is able
    able.lacks.add("?cc:1")
    assert choose([plain, able], "t", needs(0, "jobs", "?cc:1")) is None
    anything = Needs()
    assert choose([plain], "t", anything) is plain
