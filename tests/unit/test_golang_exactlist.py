"""What `go list -f` prints by the template, byte for byte."""

from __future__ import annotations

import msgspec
import pytest

from luigigo.golang import exactlist
from luigigo.golang.packages import LISTED_FIELDS, Module, Package

PRINTED = (
    rb'{"Dir":"/caf\xe9/\"a\"","Name":"main","DepOnly":false,"Module":null,"GoFiles":["b\xff.go","\u65e5\n.go"]}'
    b"\n"
    rb'{"Dir":"/\u00fc","Module":{"Path":"m","Replace":{"Path":"../d\xe9","Replace":null},"Main":true},'
    rb'"GoFiles":[],"ImportMap":{ "a":"b","c":"d"}}'
    b"\n"
)


def test_packages_are_read_for_each_byte() -> None:
    """Texts are Go literals, and a name that is no UTF-8 is what the system calls the file."""
    main, other = exactlist.parse(PRINTED)
    assert main == Package(dir='/caf\udce9/"a"', name="main", go_files=("b\udcff.go", "日\n.go"))
    replace = Module(path="../d\udce9")
    assert other == Package(
        dir="/ü", module=Module(path="m", replace=replace, main=True), import_map={"a": "b", "c": "d"}
    )
    assert exactlist.parse(b"") == []


def test_the_template_names_every_field_once() -> None:
    """All that is asked for as JSON, and no three braces in a row where the template language reads them."""
    template = exactlist.template()
    names = [f'"{f.encode_name}":' for f in msgspec.structs.fields(Package) if f.name in LISTED_FIELDS]
    assert all(name in template for name in names)
    assert '"Deps"' not in template
    assert "{{{" not in template


@pytest.mark.parametrize(
    ("printed", "lost"), [(b'"caf\xc3\xa9"', False), (rb'"caf\ufffd"', True), (b'"caf\xef\xbf\xbd"', True)]
)
def test_json_that_may_have_lost_bytes_is_known(printed: bytes, lost: bool) -> None:
    """By the character that stands in their place, however it is written."""
    assert exactlist.has_lost_bytes(printed) is lost
