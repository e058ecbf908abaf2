"""Which headers a C unit may come to read: names that its text asks for, folders where they are looked up.

Pure. A compiler tells which headers it read, but not where it looked in vain: a header that appears earlier
on the search path, or one that `__has_include` asked for, would go unseen.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Iterable

import msgspec

_SPLICE = re.compile(rb"\\[ \t]*\r?\n")
_GAP = rb"(?:[ \t]|/\*.*?\*/)*"
_ASKED = re.compile(
    rb"(?:^" + _GAP + rb"(?:\#|%:|\?\?=)" + _GAP + rb"(?:include|include_next|import|embed)\b"
    rb"|(__has_)(?:include|include_next|embed)[ \t]*\()" + _GAP + rb"(?=([^\n]*))",
    re.MULTILINE,
)  # fmt: skip
_LITERAL = re.compile(rb'"([^"\n]+)"|<([^>\n]+)>')
_WORD = re.compile(rb"[A-Za-z_]\w*")
_NAMED = re.compile(rb'^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
_STARTS = ("#include", "End of search list")
_ABSENT = re.compile(r'^ignoring nonexistent directory "(.*)"$')
_READS_MORE = (b"incbin", b".include", b".macro", b".irp", b".altmacro")
"""Words of an assembler's text that may make it read other files, or be put together to such words."""


class Asked(msgspec.Struct, frozen=True):
    """What headers texts ask for, in branches not taken too."""

    names: frozenset[str] = frozenset()
    by_macro: frozenset[str] = frozenset()
    """Macros that stand where it is asked whether a header is there. Which header one stands for that is
    included, the compiler tells."""
    macros: frozenset[str] = frozenset()
    """Macros that stand for a name."""
    meanings: frozenset[str] = frozenset()
    """The names for which macros stand, of headers or of anything else, such as /etc/hosts."""

    def __or__(self, other: Asked) -> Asked:
        """What both ask for."""
        return Asked(*(getattr(self, field) | getattr(other, field) for field in self.__struct_fields__))

    @property
    def headers(self) -> frozenset[str]:
        """The names of headers asked for. What macros stand for counts once any of them is asked about."""
        return self.names | self.meanings if self.by_macro else self.names

    @property
    def unknown(self) -> str:
        """A macro that stands for a name that no text tells, or ""."""
        return min(self.by_macro - self.macros, default="")


def asked_names(text: bytes) -> Asked:
    """What one file's text asks for."""
    if b"\\\n" in text or b"\\\r\n" in text:
        text = _SPLICE.sub(b"", text)
    # Most lines of large texts ask for nothing, and that is quickly seen.
    lines = text.split(b"\n")
    text = b"\n".join(
        line
        for line in lines
        if b"include" in line or b"define" in line or b"import" in line or b"embed" in line
    )
    names: set[str] = set()
    by_macro: set[str] = set()
    for match in _ASKED.finditer(text):
        literal, word = _LITERAL.match(match[2]), _WORD.match(match[2])
        if literal is not None:
            names.add(os.fsdecode(literal[1] or literal[2]))
        elif word is not None and match[1]:
            by_macro.add(os.fsdecode(word[0]))
    defined = [(os.fsdecode(name), os.fsdecode(one or other)) for name, one, other in _NAMED.findall(text)]
    return Asked(
        names=frozenset(names),
        by_macro=frozenset(by_macro),
        macros=frozenset(name for name, _ in defined),
        meanings=frozenset(meaning for _, meaning in defined),
    )


def asked_by_flags(flags: Iterable[str]) -> Asked:
    """The macros that a compiler's flags define, with the names of headers that they may stand for."""
    defined = [word[2:].partition("=") for word in flags if word.startswith("-D")]
    meanings = frozenset(value.strip('<>"') for _, _, value in defined if value[:1] in ("<", '"'))
    return Asked(macros=frozenset(name for name, _, _ in defined), meanings=meanings)


def searched_folders(said: str) -> list[str]:
    """The folders that a preprocessor says (`-v`) it searches, those that are not there among them."""
    found, inside = [], False
    for line in said.splitlines():
        absent = _ABSENT.match(line)
        if absent is not None:
            found.append(absent[1])
        if line.startswith(_STARTS):
            inside = line.startswith("#include")
        elif inside and line.startswith(" "):
            found.append(line[1:].removesuffix(" (framework directory)"))
    return found


def read_files(rule: str, folder: str) -> list[str]:
    """Absolute paths of what a make rule, as compilers and linkers write it, depends on."""
    words = re.findall(r"(?:\\.|\$\$|[^\s\\])+", rule.replace("\\\n", " "))
    names = [re.sub(r"\\(.)", r"\1", word).replace("$$", "$") for word in words if not word.endswith(":")]
    return list(dict.fromkeys(os.path.normpath(os.path.join(folder, name)) for name in names))


def looked_into(read: Iterable[str], searched: Collection[str], names: Iterable[str]) -> list[str]:
    """Every folder whose entries decide which header a name means.

    Those that are searched, those of the files `read`, and below both the folders that names have in them.
    """
    read = list(read)
    starts = dict.fromkeys([*searched, *(os.path.dirname(path) for path in read)])
    below = {os.path.dirname(name) for name in names}
    for path in read:
        # However it was named: a folder that is searched before could have it as well.
        below |= {os.path.dirname(path[len(each) + 1 :]) for each in starts if path.startswith(each + "/")}
    found = dict.fromkeys(starts)
    for start in starts:
        found.update(dict.fromkeys(os.path.normpath(os.path.join(start, each)) for each in below if each))
    return list(found)


def may_read_more(preprocessed: bytes) -> bool:
    """Whether an assembler may read other files for this text, such as with `.incbin`."""
    text = preprocessed.lower()
    return any(word in text for word in _READS_MORE)


_DIAGNOSTIC = re.compile(rb"^.*: (?:warning|error|fatal error|note): .*$", re.MULTILINE)


def diagnostics(said: bytes, places: Iterable[tuple[str, bytes]]) -> bytes:
    """What a preprocessor found fault with, a line each, with folders replaced at their beginning.

    The text that it made need not show that: `#warning` leaves an empty line.
    """
    lines = b"\n".join(_DIAGNOSTIC.findall(said))
    for folder, token in places:
        name = re.compile(rb"^" + re.escape(os.fsencode(folder)) + rb"(?=/)", re.MULTILINE)
        lines = name.sub(lambda match, token=token: token, lines)  # type: ignore[misc]
    return lines


def without_places(preprocessed: bytes, places: Iterable[tuple[str, bytes]]) -> bytes:
    """The text with folders replaced in its line markers, and nowhere else: it may name them on purpose."""
    for folder, token in places:
        marker = re.compile(rb'^(# \d+ ")' + re.escape(os.fsencode(folder)) + rb'(?=[/"])', re.MULTILINE)
        preprocessed = marker.sub(lambda match, token=token: match[1] + token, preprocessed)  # type: ignore[misc]
    return preprocessed
