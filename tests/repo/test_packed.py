"""Facts come back from their bytes exactly, and what was not asked for is not read."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.repo.facts import Binding, Definition, Facts, Import, Kind, Reference, Use
from codewright.repo.packed import VERSION, pack
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.unpacked import Lazy, chosen, names_of, readable, unpack

TEXT = st.text(st.characters(), max_size=6) | st.sampled_from(
    ["", ".", "a.b", "..x", "\udcff", "é"]
)
NUMBER = st.integers(0, 5) | st.integers(0, 1 << 40)
DEFINITION = st.builds(
    Definition,
    *(TEXT, st.sampled_from(Kind), *[NUMBER] * 8, TEXT, TEXT),
    st.lists(TEXT, max_size=3).map(tuple),
    NUMBER,
)
REFERENCE = st.builds(
    Reference,
    *(TEXT, TEXT, st.sampled_from(Use), st.sampled_from(Binding), st.booleans(), *[NUMBER] * 3),
)
FACTS = st.builds(
    Facts,
    language=TEXT,
    lines=NUMBER,
    definitions=st.lists(DEFINITION, max_size=4),
    references=st.lists(REFERENCE, max_size=4),
    imports=st.lists(st.builds(Import, NUMBER, NUMBER, TEXT, TEXT, TEXT), max_size=4),
    error=TEXT,
)


@given(FACTS)
@settings(max_examples=200, deadline=None)
def test_facts_come_back_as_they_were(facts: Facts) -> None:
    blob = pack(facts)
    back = unpack(blob)
    assert back == facts
    assert facts == back
    assert pack(back) == blob
    assert all(isinstance(each.kind, Kind) for each in back.definitions)


def test_a_blob_of_real_files_is_small_and_read_when_asked() -> None:
    size = lines = 0
    for name in ("argparse", "dataclasses", "typing"):
        data = Path(sysconfig.get_path("stdlib"), f"{name}.py").read_bytes()
        facts = PythonExtractor().facts(data)
        blob = pack(facts)
        back = unpack(blob)
        assert isinstance(back.references, Lazy)
        assert len(back.references) == len(facts.references)
        assert back.definitions[3] == facts.definitions[3]
        assert back.references._items is None, "looking at a definition read the references"
        assert back == facts
        size, lines = size + len(blob), lines + facts.lines
    assert size / lines < 20


def test_a_blob_of_another_version_is_told() -> None:
    blob = pack(PythonExtractor().facts(b"x = 1\n"))
    assert readable(blob)
    assert not readable(bytes([VERSION + 1]) + blob[1:])
    assert not readable(b"")


@pytest.mark.parametrize("use", [None, Use.CALL])
@pytest.mark.parametrize("binding", [None, Binding.IMPORT])
@pytest.mark.parametrize("names", [None, ("pack", "load", "self"), ("np",), ()])
def test_chosen_references_are_those_of_all(
    use: Use | None, binding: Binding | None, names: tuple[str, ...] | None
) -> None:
    text = b"import numpy as np\nfrom a import b as load, pack\n\ndef f(self):\n"
    text += b"    x = load(np.a.b, pack)\n    return x.load(np).pack, self.np\n" * 9
    facts = PythonExtractor().facts(text)
    found = unpack(pack(facts)).references
    plain = chosen(list(facts.references), use=use, binding=binding, names=names)
    assert list(chosen(found, use=use, binding=binding, names=names)) == plain
    assert names_of(found) == {each.name for each in facts.references}
