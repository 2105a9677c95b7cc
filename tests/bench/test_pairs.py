"""What the vectors learn from: permitted, no copies of what is measured, and nothing held out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from bench.remembering import pairs

METADATA = "Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
SOURCE = '''
def {name}(path):
    """{sentence}"""
    with open(path) as {name}_file:
        return [line.strip() for line in {name}_file if not line.startswith("#")]
'''
SENTENCE = "Reads settings of the {name} program, without remarks."


def wheel(folder: Path, name: str, licence: str = "MIT", sentence: str = SENTENCE) -> None:
    told = SOURCE.format(name=name, sentence=sentence.format(name=name))
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/config.py", told)
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", METADATA.format(name=name, licence=licence)
        )


def test_held_libraries_and_measured_ones_are_not_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in (*sorted(pairs.HELD), "django", "flaskish"):
        wheel(tmp_path, name)
    wheel(tmp_path, "viral", "GPL-3.0-only")
    wheel(tmp_path, "copied", sentence="Asked by the relevance set in these words.")
    asked = {"asked by the relevance set in these words"}
    monkeypatch.setattr(pairs, "held_out", lambda relevance: (set(), asked))
    out, held = tmp_path / "out.tsv", tmp_path / "held.tsv"
    given = ("--wheels", tmp_path, "--relevance", tmp_path, "--out", out, "--held", held)
    monkeypatch.setattr("sys.argv", ["pairs", *map(str, given)])
    pairs.main()
    told = capsys.readouterr().out
    names = {
        path: [line.partition("==")[0] for line in path.read_text().splitlines()]
        for path in (out, held)
    }
    assert names == {out: ["flaskish"], held: sorted(pairs.HELD)}
    assert (
        out.read_text().split("\t")[1] == "reads settings of the flaskish program without remarks"
    )
    assert "1 a sentence of the relevance set" in told
    assert "1 a distribution without a permissive licence" in told
