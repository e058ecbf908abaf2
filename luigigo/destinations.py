"""Where a build's programs go, by the rules of `go build -o`."""

from __future__ import annotations

import os

import msgspec

from luigigo.errors import UsageError
from luigigo.golang.actions import Plan, Root


class Delivery(msgspec.Struct, frozen=True):
    """One binary and the place where the user wants it."""

    root: Root
    path: str


def deliveries(plan: Plan, output: str) -> list[Delivery]:
    """Where each program goes, as with `go build -o`: a file, or a folder that takes all programs.

    With no output and one package it is the program's default name in the current folder; with several,
    nowhere. An output that ends in `/.` stands for no output, with that folder as the current one. Raises
    `UsageError` when a file is to take several programs, or there is no program.
    """
    programs = [root for root in plan.roots if root.executable]
    if not output or output.endswith("/."):
        if len(plan.roots) != 1:
            return []
        paths = [Delivery(root, os.path.join(os.path.abspath(output), root.executable)) for root in programs]
        for delivery in paths:
            if os.path.isdir(delivery.path):
                raise UsageError(
                    f"luigigo: build output {delivery.root.executable!r} already exists and is a directory"
                )
        return paths
    if output == os.devnull:
        return []
    if output.endswith("/") or os.path.isdir(output):
        if not programs:
            raise UsageError("luigigo: no main packages to build")
        return [Delivery(root, os.path.join(os.path.abspath(output), root.executable)) for root in programs]
    if len(plan.roots) > 1:
        raise UsageError(f"luigigo: cannot write multiple packages to non-directory {output}")
    if not programs:
        package = plan.roots[0].package
        raise UsageError(f"luigigo: {package} is not a main package: there is no binary to write to {output}")
    return [Delivery(programs[0], os.path.abspath(output))]
