"""Progress through stages, some of them more than once."""

from __future__ import annotations

import pytest

from codewright import console
from codewright.cli.watching import Watching


def test_each_stage_has_its_own_progress(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(console, "SHOW_AFTER", 0.0)
    with Watching() as watch:
        for told in [("sampling", 0, 8), ("sampling", 4, 8), ("running", 0, 3), ("running", 3, 3),
                     ("sampling", 4, 8), ("sampling", 8, 8), ("sampling", 0, 8)]:  # fmt: skip
            watch(*told)
    lines = capsys.readouterr().err.splitlines()
    closing = [line for line in lines if " in " in line]
    assert [line.partition(" in ")[0] for line in closing] == [
        "sampling: 4 done", "running: 3 done", "sampling: 8 done", "sampling: 0 done",
    ]  # fmt: skip


def test_quick_work_is_not_worth_a_line(capsys):
    with Watching() as watch:
        watch("sampling", 1, 2)
    assert capsys.readouterr().err == ""
