"""Owners of pins: when a process is certainly dead."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from luigigo.store.owners import Owner, is_dead, this_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="without /proc pins go by their age")


def test_this_process_is_not_dead() -> None:
    """It is found by its number and its beginning."""
    owner = this_process()
    assert owner.born and owner.machine
    assert not is_dead(owner)


def test_a_number_that_another_has_is_no_life() -> None:
    """The process that has it began at another time."""
    assert is_dead(msgspec.structs.replace(this_process(), born="1"))


def test_one_that_ended_is_dead() -> None:
    """Also while its parent has not looked."""
    with subprocess.Popen(["sleep", "60"]) as child:
        with open(f"/proc/{child.pid}/stat", encoding="ascii") as file:
            born = file.read().rpartition(") ")[2].split()[19]
        owner = msgspec.structs.replace(this_process(), pid=child.pid, born=born)
        assert not is_dead(owner)
        child.kill()
        with open(f"/proc/{child.pid}/stat", encoding="ascii") as file:
            while file.read().rpartition(") ")[2][:1] != "Z":
                file.seek(0)
        assert is_dead(owner)
    assert is_dead(owner)


@pytest.mark.parametrize("machine", ["", "another start, or another namespace of numbers"])
def test_nothing_is_certain_of_another_machine(machine: str) -> None:
    """Its pins go by their age."""
    assert not is_dead(Owner("host", 1, machine, "1"))
