"""The only place where keys are computed: whatever can change an output enters here. Pure.

Two keys an action. The *action key* counts a dependency by its action key and is known when the plan is
made. The *content key* counts it by the digest of what the action reads of it, so that an edit which
leaves export data as it was stops there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from luigigo.golang.actions import CgoSpec, CompileSpec, Kind, LinkSpec, PreprofileSpec, Spec
from luigigo.golang.toolchain import Toolchain
from luigigo.model import ActionId, ActionKey, ContentKey, Digest, digest_of

FORMAT = "luigigo 2"
"""Changes when the meaning of an entry in the store changes, so that old ones are never taken for new."""


def own_digest(spec: Spec, toolchain: Toolchain, nonce: str = "") -> Digest:
    """Digest of an action's own part: the tools that it runs and its spec.

    `nonce`: a word that no other plan has, where nothing that was done before shall serve.
    """
    tools = list(tools_of(spec, toolchain).values())
    return digest_of(FORMAT, tools, spec, *([nonce] if nonce else []))


def tools_of(spec: Spec, toolchain: Toolchain) -> dict[str, Digest]:
    """The digests of the tools that an action runs, and of the headers that they read, by name."""
    tools = toolchain.tools
    if isinstance(spec, CompileSpec):
        assembly = {"asm": tools["asm"], "pkg/include": toolchain.include} if spec.s_files else {}
        return {"compile": tools["compile"], **assembly}
    if isinstance(spec, CgoSpec):
        return {"cgo": tools["cgo"]}
    if isinstance(spec, LinkSpec):
        return {"link": tools["link"]}
    assert isinstance(spec, PreprofileSpec)
    return {"preprofile": tools["preprofile"]}


def action_key(
    own: Digest, dependencies: Sequence[ActionId], keys: Mapping[ActionId, ActionKey]
) -> ActionKey:
    """The key that is known when the plan is made."""
    return ActionKey(digest_of("action", own, [keys[dependency] for dependency in dependencies]))


def content_key(own: Digest, inputs: Sequence[tuple[str, Digest]]) -> ContentKey:
    """The key that is known when the dependencies are done: `inputs` is what the action reads of each."""
    return ContentKey(digest_of("content", own, inputs))


def role_read(reader: Kind) -> str:
    """Which output of an imported package an action reads: export data to compile, objects to link."""
    return "object" if reader is Kind.LINK else "export"


def roles_made(maker: Kind) -> tuple[str, ...]:
    """What an action makes, by the names that its record has them under."""
    if maker is Kind.COMPILE:
        return ("export", "object")
    return ({Kind.CGO: "bundle", Kind.LINK: "binary", Kind.PREPROFILE: "profile"}[maker],)
