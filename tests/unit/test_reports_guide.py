"""The guide in reports/ works as it stands, on the samples beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from luigigo import reports
from luigigo.reports import columns

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "reports" / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)


def test_every_snippet_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the ten, and the first, prints something; a later one may use what an earlier one named."""
    monkeypatch.chdir(ROOT)
    assert len(SNIPPETS) == 11
    names: dict[str, Any] = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, str(GUIDE), "exec"), names)
        assert capsys.readouterr().out.strip(), snippet


def test_the_samples_are_whole() -> None:
    """They are real runs, read without a warning, and hold no path of the machine that made them."""
    found = reports.runs(store=str(ROOT / "reports" / "samples"))
    assert sorted(found.outcome) == ["failed", "ok", "ok", "ok"]
    assert set(found.warnings) == {""}
    for path in (ROOT / "reports" / "samples").rglob("client.jsonl"):
        assert not re.search(r'"/(tmp|work|root)', path.read_text())


def test_every_column_is_explained() -> None:
    """Each column of each frame has a type that takes missing values, and words."""
    for layout in (columns.RUNS, columns.COMPARISON, *columns.FRAMES.values()):
        for name, (dtype, words) in layout.items():
            assert dtype in (columns.TEXT, columns.COUNT, columns.NUMBER, columns.TRUTH, columns.TIME), name
            assert words or layout is columns.SUMMARY, name
