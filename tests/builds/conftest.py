"""Fixtures of the tests that compare with a real `go build`."""

from reference import bench, toolchain, toolchains

__all__ = ["bench", "toolchain", "toolchains"]
