"""Exact duplicates: the first of equal bodies stays, whatever dresses the copies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.corpus.exact import Exact
from codewright.corpus.lexemes import TokenHashes, body, runs
from codewright.corpus.steps import Drop, Drops
from codewright.types.document import Document

CODE = "import os\n\n\ndef f(x):\n    return os.path.join(x)\n"


def run(texts: list[str]) -> tuple[list[str], list[Drop]]:
    log: list[Drop] = []
    documents = [
        Document(text=text, path=f"p{n}.py", licence="MIT", origin=f"o{n}==1")
        for n, text in enumerate(texts)
    ]
    kept = Exact().apply(documents, Drops("exact-duplicates", log.append))
    return [document.path for document in kept], log


def test_copies_in_other_dress_are_dropped_and_say_of_what():
    copies = [
        CODE,
        CODE,
        "\ufeff" + CODE,
        CODE.replace("\n", "\r\n"),
        CODE.replace("\n", "  \t\n") + "\n\n",
        "#!/usr/bin/python\n# Copyright 2020 Somebody\n#\n# MIT License\n\n" + CODE,
        "# SPDX-License-Identifier: MIT\n" + CODE,
        "   \n# (c) 1999 Somebody else, all rights reserved\n\n\n" + CODE,
    ]
    kept, log = run(["other = 1\n", *copies])
    assert kept == ["p0.py", "p1.py"]
    assert {drop.detail for drop in log} == {"of o1==1 p1.py"}
    assert {drop.reason for drop in log} == {"exact-duplicate"}
    assert [drop.path for drop in log] == [f"p{n}.py" for n in range(2, 9)]


def test_what_differs_stays():
    different = [
        CODE,
        CODE.replace("x", "y"),
        CODE.replace("    return", "     return"),
        "# A remark about paths.\n" + CODE,
        '"""Copyright as a docstring is part of the program."""\n' + CODE,
        CODE + "# Copyright at the end\n",
    ]
    kept, log = run(different)
    assert len(kept) == len(different)
    assert not log


@given(st.lists(st.sampled_from(["a\n", "a", "b\n", "b \n", "c", "", "\n"]), max_size=12))
def test_one_of_each_body_stays_and_it_is_the_first(texts):
    kept, log = run(texts)
    first: dict[str, str] = {}
    for number, text in enumerate(texts):
        first.setdefault(text.strip(), f"p{number}.py")
    assert kept == list(first.values())
    assert len(kept) + len(log) == len(texts)


@given(st.text())
def test_a_body_is_its_own_body_unless_it_opens_with_another_licence(text):
    once = body(text)
    assert len(body(once)) <= len(once) <= len(text)
    if "#" not in text:
        assert body(once) == once


@given(
    tokens=st.lists(st.sampled_from("abcdefg"), max_size=40),
    length=st.integers(1, 9),
)
def test_runs_are_hashed_alike_exactly_where_they_are_alike(tokens, length):
    table = TokenHashes()
    hashes = runs(table.of(tokens), length).tolist()
    wide = min(length, len(tokens))
    slow = [tuple(tokens[i : i + wide]) for i in range(len(tokens) - wide + 1)] if tokens else []
    assert len(hashes) == len(slow)
    assert len(set(hashes)) == len(set(slow))
    assert len(set(zip(hashes, slow, strict=True))) == len(set(slow))
    # The same run has the same hash in another text.
    if len(slow) > 1:
        moved = runs(table.of(["z"] * 3 + tokens), length).tolist()
        assert moved[3:] == hashes


def test_hashes_are_those_of_ever():
    # Sketches and fingerprints are kept in files: a change here would make them worthless.
    table = TokenHashes()
    assert table["def"] == 5346529856746473847
    assert runs(table.of(["def", "f", "("]), 2).tolist() == [
        17958743001742933345,
        9410607485003230416,
    ]
