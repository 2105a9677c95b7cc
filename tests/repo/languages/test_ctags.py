"""Real programs in five languages: what universal-ctags finds, stands at the same line here."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_rust", reason="the grammars are of the extra `repo`")

from codewright.repo.languages.extractors import extractor_of
from tests.repo.languages.reading import check

CTAGS = shutil.which("ctags")
FOLDER = Path(os.environ.get("CODEWRIGHT_DATA", "/nonexistent"), "humanevalpack")
PROGRAMS = {
    "js": ("javascript", "js", "JavaScript", 164),
    "java": ("java", "java", "Java", 660),
    "go": ("go", "go", "Go", 330),
    "cpp": ("cpp", "cpp", "C++", 380),
    "rust": ("rust", "rs", "Rust", 660),
}
KINDS = {"function", "func", "class", "method", "struct", "enum", "enumerator", "module", "typedef"}


@pytest.mark.skipif(CTAGS is None, reason="ctags is not installed")
@pytest.mark.skipif(not FOLDER.is_dir(), reason="CODEWRIGHT_DATA has no humanevalpack")
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_definition_of_ctags_is_found_at_its_line(name, tmp_path):
    language, suffix, its_name, at_least = PROGRAMS[name]
    extractor = extractor_of(language)
    found = {}
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            path = tmp_path / f"{number}.{suffix}"
            path.write_text(f"{row['prompt']}{row['canonical_solution']}\n{row['test']}")
            facts = extractor.facts(path.read_bytes())
            check(facts, path.read_bytes())
            found[str(path)] = {(one.name, one.line) for one in facts.definitions}
    command = [CTAGS, "--output-format=json", "--fields=+nKs", "-R", "-f", "-"]
    done = subprocess.run(
        [*command, f"--languages={its_name}", str(tmp_path)], capture_output=True, check=True
    )
    tags = [json.loads(line) for line in done.stdout.splitlines()]
    counted = Counter()
    for tag in tags:
        # ctags names functions without a name, and knows locals of JavaScript as its own.
        top = name == "js" and tag["kind"] == "constant" and not tag["pattern"].startswith("/^ ")
        plain = tag["kind"] in KINDS and not tag["name"].startswith("AnonymousFunction")
        if top or (plain and (name != "js" or "scope" not in tag)):
            is_local = name == "js" and tag["pattern"].startswith("/^ ")
            if not is_local:
                counted[tag["kind"]] += 1
                assert (tag["name"], tag["line"]) in found[tag["path"]], tag
    print(name, dict(counted))
    assert sum(counted.values()) >= at_least
