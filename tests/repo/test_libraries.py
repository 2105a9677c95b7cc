"""What installed libraries offer near a cursor: real distributions, at their installed versions."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import pathspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.repo.context import RepositoryContext
from codewright.repo.counting import Bytes
from codewright.repo.environments import environment_of
from codewright.repo.forms import FORMS
from codewright.repo.installed import Library
from codewright.repo.libraries import Libraries
from codewright.repo.manner import Manner
from codewright.repo.scanner import Scanner
from codewright.types.context import Context, Query
from tests.reference.index import MemoryIndex

OPEN = '''"""Open."""

import pathspec
from pathspec import PathSpec
from shop.own import Spec
import nowhere_at_all


def lines(path):
    spec = pathspec.PathSpec.from_lines("gitignore", path)
    return X
'''


class _NoPieces:
    def chunks(self, facts, data):
        return []


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    root = tmp_path_factory.mktemp("repo")
    (root / "shop").mkdir()
    (root / "shop" / "own.py").write_text("class Spec:\n    def keep(self, path: str): ...\n")
    (root / "shop" / "open.py").write_text(OPEN.replace("X", ""))
    index = MemoryIndex(root, {".py": Scanner()}, _NoPieces())
    library = Library(environment_of(None), Scanner())
    manner = Manner(form=FORMS["plain"], counter=Bytes())
    return RepositoryContext(
        index, lambda _, data: Scanner().facts(data), manner, more=Libraries(library)
    )


def shown(builder: RepositoryContext, rest: str, budget: int = 4000) -> Context:
    before = OPEN.partition("X")[0] + rest
    return builder.retrieve(Query(path="shop/open.py", before=before, after="\n"), budget)


def test_a_call_into_a_library_brings_its_signature_at_the_installed_version(builder):
    found = shown(builder, "pathspec.PathSpec(")
    library = {each.source: each for each in found.passages if each.kind == "library"}
    at = f"pathspec=={version('pathspec')}"
    assert all(source.startswith(at) for source in library)
    made = library[f"{at} {pathspec.PathSpec.__module__}.PathSpec"]
    assert "class PathSpec" in made.text
    assert inspect.getdoc(pathspec.PathSpec).partition("\n")[0] in made.text
    names = list(inspect.signature(pathspec.PathSpec).parameters)
    assert all(name in made.text for name in names)
    assert made.why == "its arguments stand here"
    near = [each for source, each in library.items() if source.endswith(".from_lines")]
    assert near
    assert near[0].why == "called nearby"
    # What the repository has is the repository's, and what is nowhere is not made up.
    assert any(each.path == "shop/own.py" for each in found.passages)
    assert "nowhere" not in "".join(library)


def test_behind_a_dot_stands_what_begins_so(builder):
    found = shown(builder, "pathspec.GitIgnoreS")
    behind = [each for each in found.passages if each.why.startswith("may stand behind")]
    assert [each.source.rpartition(".")[2] for each in behind] == ["GitIgnoreSpec"]


@settings(max_examples=40, deadline=None)
@given(
    rest=st.sampled_from(["", "pathspec.", "PathSpec(", "pathspec.lookup_pattern(", "os."]),
    budget=st.integers(0, 900),
)
def test_libraries_never_overfill_a_budget(builder, rest, budget):
    found = shown(builder, rest, budget)
    assert len(found.text.encode()) == found.tokens <= budget
