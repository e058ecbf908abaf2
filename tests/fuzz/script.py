"""Write a case as a bash script that stands by itself: it needs go, luigigo and, for C, gcc on PATH."""

from __future__ import annotations

import base64
import shlex

from .builders import identical_flags
from .shrink import Case
from .tree import (
    File,
    Folder,
    Link,
    MakeFolder,
    MakeLink,
    Operation,
    PinAll,
    Remove,
    Rename,
    SetFlags,
    SetOutput,
    SetVariable,
    Spoil,
    State,
    Step,
    Touch,
    Wait,
    Write,
    apply,
    concrete,
)

HEAD = """#!/usr/bin/env bash
# {title}
# Ends with 1 where luigigo does not do as go build from scratch does.
set -u
T=$(mktemp -d); R=$T/tree; mkdir -p "$R/out" "$T/home"
trap 'chmod -R u+w "$T"; rm -rf "$T"' EXIT
export XDG_CACHE_HOME=$T/cache HOME=$T/home GOPATH=$T/gopath
export GOENV=off GOTOOLCHAIN=local GOPROXY=off GOFLAGS= LC_ALL=C TERM=dumb
GO=${{GO:-go}} LUIGIGO=${{LUIGIGO:-luigigo}}
bad=0

# put PATH: a new file from stdin. over PATH: the same inode. swap PATH: another one, renamed to the path.
put() {{ mkdir -p "$(dirname "$R/$1")"; cat >"$R/$1"; }}
over() {{ put "$1"; }}
swap() {{ mkdir -p "$(dirname "$R/$1")"; cat >"$R/$1.new~" && mv -fT "$R/$1.new~" "$R/$1"; }}
lines() {{
  grep -v '^luigigo:' "$1" | grep -v '^[[:space:]]*$' |
    sed "s#build output [^ ]*#build output OUTPUT#; s#$2#OUTPUT#g; s#[^ ]*/cc......\\.#cc.#
      s/_cgo_[0-9a-f]*_/_cgo_HASH_/g; s#[^ ]*/go-\\(build\\|link\\)-*[0-9]*#TMP#g" | sort
}}
# The standard library, so that not every build from scratch compiles it.
for enabled in 1 0; do
  packages=(embed errors io/fs unicode/utf8); [ $enabled = 0 ] || packages+=(runtime/cgo)
  (cd "$T" && CGO_ENABLED=$enabled GOCACHE=$T/standard "$GO" build -trimpath "${{packages[@]}}") &>/dev/null
done
# check WHEN OUTPUT PROJECT NAMED GO-FLAGS -- LUIGIGO-FLAGS
check() {{
  local when=$1 output=$R/$2 project=$R/$3 named=$4; shift 4
  local go=(); while [ "$1" != -- ]; do go+=("$1"); shift; done; shift
  rm -rf "$T/ref" "$T/gocache"; cp -r "$T/standard" "$T/gocache"; mkdir -p "$T/ref" "$(dirname "$output")"
  local ref=$T/ref/$(basename "$output"); [ ! -f "$output" ] || cp -p "$output" "$ref"
  (cd "$project" && GOCACHE=$T/gocache "$GO" build "${{go[@]}}" -o "$ref" .) >"$T/go.said" 2>&1; local g=$?
  (cd "$project" && "$LUIGIGO" build . -o "$named" "$@") >"$T/luigigo.said" 2>&1; local l=$?
  local told=
  [ $((g != 0)) = $((l != 0)) ] || told="go build ends with $g, luigigo with $l"
  [ -n "$told" ] || [ $g != 0 ] || cmp -s "$ref" "$output" || told="the binaries differ"
  lines "$T/go.said" "$ref" >"$T/go.lines"; lines "$T/luigigo.said" "$output" >"$T/luigigo.lines"
  [ -n "$told" ] || diff "$T/go.lines" "$T/luigigo.lines" >"$T/diff" || told="messages differ"
  [ -n "$told" ] || {{ echo "same after $when"; return; }}
  bad=1; echo "DIFFERENT after $when: $told"
  sed 's/^/  go: /' "$T/go.said"; sed 's/^/  luigigo: /' "$T/luigigo.said"
}}
"""


_ALWAYS_SET = {"GOFLAGS": "", "LC_ALL": "C", "GOTOOLCHAIN": "local"}


def script_of(case: Case, title: str) -> str:
    """The script. Shapes: the tree, then for each step its operations and a check."""
    lines = [HEAD.format(title=title.replace("\n", " "))]
    for path, entry in case.start.tree.items():
        lines += _laid_out(path, entry)
    for path, entry in sorted(case.start.tree.items(), reverse=True):
        if entry.pinned is not None:
            lines.append(f'touch -h -d @{entry.pinned} "$R"/{shlex.quote(path)}')
    if case.start.cache:
        lines.append(f'export XDG_CACHE_HOME="$R"/{shlex.quote(case.start.cache)}')
    for name, value in case.start.variables.items():
        lines.append(_variable(name, value))
    state = case.start
    for number, step in enumerate(case.steps):
        state, told = _step(state, step, number)
        lines += ["", f"# {number}: {step.kind}", *told]
    return "\n".join([*lines, "", "exit $bad", ""])


def _step(state: State, step: Step, number: int) -> tuple[State, list[str]]:
    """A step's lines; with an edit during a build the edit stands behind a build in the background."""
    told: list[str] = []
    if step.during is not None:
        flags = " ".join(shlex.quote(flag) for flag in state.flags)
        build = f'(cd "$R"/{shlex.quote(state.project)} && "$LUIGIGO" build . -o {_named(state)} {flags})'
        told += [f"{build} >/dev/null 2>&1 & sleep {step.during:.3f}"]
    for operation in step.operations:
        ready = concrete(state, operation)
        if ready is not None:
            told += _lines_of(state, ready)
            state = apply(state, ready)
    if step.during is not None:
        told.append("wait")
    told += [_check(state, f"{number} ({step.kind})")] * (2 if step.again else 1)
    return state, told


def _check(state: State, when: str) -> str:
    go = " ".join(shlex.quote(flag) for flag in identical_flags(state))
    own = " ".join(shlex.quote(flag) for flag in state.flags)
    words = ["check", shlex.quote(when), shlex.quote(state.output), shlex.quote(state.project), _named(state)]
    return " ".join([*words, go, "--", own]).rstrip()


def _named(state: State) -> str:
    if not state.output_is_relative:
        return f'"$R"/{shlex.quote(state.output)}'
    up = "../" * (state.project.count("/") + 1)
    inside = state.output.startswith(state.project + "/")
    return shlex.quote(state.output.removeprefix(state.project + "/") if inside else up + state.output)


def _laid_out(path: str, entry: object) -> list[str]:
    quoted = f'"$R"/{shlex.quote(path)}'
    if isinstance(entry, Folder):
        return [f"mkdir -p {quoted}"]
    if isinstance(entry, Link):
        return [f'mkdir -p "$(dirname {quoted})"; ln -s {shlex.quote(entry.target)} {quoted}']
    assert isinstance(entry, File)
    return [_content("put", path, entry.content)] + ([f"chmod +x {quoted}"] if entry.executable else [])


def _content(command: str, path: str, content: bytes) -> str:
    """A command that is given the content: as text where a here-document gives the same bytes."""
    place = shlex.quote(path)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    plain = text.isprintable() or all(c.isprintable() or c in "\n\t" for c in text)
    if plain and text.endswith("\n") and "\nEND\n" not in f"\n{text}":
        return f"{command} {place} <<'END'\n{text}END"
    if not content:
        return f"{command} {place} </dev/null"
    return f"{command} {place} < <(base64 -d <<<{base64.b64encode(content).decode()})"


def _lines_of(state: State, operation: Operation) -> list[str]:
    path = f'"$R"/{shlex.quote(str(getattr(operation, "path", "")))}'
    if isinstance(operation, Write):
        told = [_content("over" if operation.in_place else "swap", operation.path, operation.content)]
        told += [f"chmod {'+x' if operation.executable else '644'} {path}"] if operation.executable else []
        return told + ([f"touch -h -d @{operation.pinned} {path}"] if operation.pinned is not None else [])
    if isinstance(operation, PinAll):
        paths = " ".join(f'"$R"/{shlex.quote(each)}' for each in sorted(state.tree, reverse=True))
        return [f"touch -h -d @{operation.pinned} {paths}"]
    if isinstance(operation, Rename):
        to = f'"$R"/{shlex.quote(operation.to)}'
        return [f'mkdir -p "$(dirname {to})"; mv -T {path} {to}']
    if isinstance(operation, Touch):
        when = "" if operation.pinned is None else f"-d @{operation.pinned} "
        return [f"touch -h {when}{path}"]
    return _short_lines(state, operation, path)


def _short_lines(state: State, operation: Operation, path: str) -> list[str]:
    if isinstance(operation, Remove):
        return [f"rm -rf {path}"]
    if isinstance(operation, MakeFolder):
        return [f"mkdir -p {path}"]
    if isinstance(operation, MakeLink):
        return [f'mkdir -p "$(dirname {path})"; ln -s {shlex.quote(operation.target)} {path}']
    if isinstance(operation, SetVariable):
        return [_variable(operation.name, operation.value)]
    if isinstance(operation, Wait):
        return [f"sleep {operation.seconds}"]
    if isinstance(operation, Spoil):
        return _spoiled(f'"$R"/{shlex.quote(state.output)}', operation.how)
    if isinstance(operation, SetFlags | SetOutput):
        return []
    raise TypeError(operation)


def _variable(name: str, value: str | None) -> str:
    if value is None:
        return f"export {name}={_ALWAYS_SET[name]}" if name in _ALWAYS_SET else f"unset {name}"
    parts = value.split("{root}")
    return f"export {name}=" + '"$R"'.join(shlex.quote(part) if part else "" for part in parts)


def _spoiled(binary: str, how: str) -> list[str]:
    lines = {
        "append": f"printf x >>{binary}",
        "truncate": f"truncate -s $(($(stat -c %s {binary}) / 2)) {binary}",
        "empty": f"truncate -s 0 {binary}",
        "remove": f"rm -f {binary}",
        "touch": f"touch {binary}",
        "replace": f"cp -p {binary} $T/was; head -c -1 $T/was >$T/other; printf '\\001' >>$T/other; "
        f"rm {binary}; cp $T/other {binary}; chmod 755 {binary}; touch -r $T/was {binary}",
        "text": f"echo 'notes that are no program' >{binary}",
        "mode": f"chmod 644 {binary}",
    }
    return [f"[ ! -f {binary} ] || {{ {lines[how]}; }}"]
