"""Near-duplicates: the fast path against the slow truth, and the arithmetic against chance."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.corpus import near, pool
from codewright.corpus.lexemes import WORDS, body
from codewright.corpus.near import BANDS, ROWS, SEED, SHINGLE, Kept, Near, Sketcher, jaccard
from codewright.corpus.steps import Drop, Drops
from codewright.types.document import Document

STANDARD = Path(random.__file__).parent
FILES = ("random.py", "json/decoder.py", "textwrap.py", "csv.py", "shlex.py", "heapq.py")


def run(texts: list[str], **settings: float | int) -> tuple[list[str], list[Drop]]:
    log: list[Drop] = []
    documents = [
        Document(text=text, path=f"p{n}.py", licence="MIT", origin="o==1")
        for n, text in enumerate(texts)
    ]
    step = Near(**settings)  # type: ignore[arg-type]
    kept = step.apply(documents, Drops(step.name, log.append))
    return [document.path for document in kept], log


def truth(left: str, right: str) -> float:
    """The definition, set by set."""

    def shingles(text: str) -> set[tuple[str, ...]]:
        words = WORDS.findall(body(text))
        wide = min(SHINGLE, len(words))
        return (
            {tuple(words[i : i + wide]) for i in range(len(words) - wide + 1)} if words else set()
        )

    one, other = shingles(left), shingles(right)
    return len(one & other) / len(one | other) if one | other else 1.0


def changed(text: str, rate: float, seed: int) -> str:
    """Renames a share of the words, each place by itself."""
    rng = random.Random(seed)
    return WORDS.sub(lambda m: f"w{rng.random()}" if rng.random() < rate else m[0], text)


def test_near_copies_of_real_files_are_dropped_and_others_stay():
    texts, wanted = [], []
    for name in FILES:
        text = (STANDARD / name).read_text(encoding="utf-8")
        texts.append(text)
        for number, rate in enumerate((0.001, 0.01, 0.03, 0.05, 0.2)):
            texts.append(changed(text, rate, number))
            wanted.append(truth(text, texts[-1]) >= 0.8)
    kept, log = run(texts)
    dropped = {drop.path for drop in log}
    for number in range(len(texts)):
        which, copy = divmod(number, 6)
        assert (f"p{number}.py" in dropped) == (copy > 0 and wanted[which * 5 + copy - 1])
    assert any(wanted)
    assert not all(wanted)
    for drop in log:
        similarity, _, place = drop.detail.partition(" of o==1 p")
        number, original = int(drop.path[1:-3]), int(place[:-3])
        assert original % 6 == 0
        assert float(similarity) == pytest.approx(truth(texts[number], texts[original]), abs=0.006)
    assert len(kept) + len(log) == len(texts)


def test_reformatting_and_a_new_licence_do_not_hide_a_copy():
    text = (STANDARD / "heapq.py").read_text(encoding="utf-8")
    spaced = "# Copyright of somebody else\n" + text.replace("    ", "\t").replace("(", "( ")
    assert run([text, spaced])[0] == ["p0.py"]


@settings(max_examples=60)
@given(
    left=st.lists(st.sampled_from("abcd"), max_size=60),
    right=st.lists(st.sampled_from("abcd"), max_size=60),
)
def test_similarity_is_that_of_the_sets(left, right):
    sketcher = Sketcher()
    one, other = sketcher.sketch(" ".join(left)), sketcher.sketch(" ".join(right))
    slow = truth(" ".join(left), " ".join(right))
    assert jaccard(one[0], other[0]) == pytest.approx(slow)
    assert jaccard(other[0], one[0]) == pytest.approx(slow)
    if slow == 1.0:
        assert one[1].tolist() == other[1].tolist()


def test_signatures_and_candidates_are_those_of_datasketch():
    sketcher = Sketcher()
    lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    kept = Kept(0.8)
    texts = [(STANDARD / name).read_text(encoding="utf-8") for name in FILES]
    texts += [changed(text, rate, 1) for text in texts for rate in (0.01, 0.03, 0.06, 0.1, 0.15)]
    found = 0
    for number, text in enumerate(texts):
        shingles, keys = sketcher.sketch(text)
        reference = MinHash(num_perm=BANDS * ROWS, seed=SEED, hashfunc=int, scheme="affine32")
        reference.update_batch(shingles.tolist())
        assert sketcher.signature(shingles).tolist() == reference.hashvalues.tolist()
        assert kept.candidates(keys) == sorted(lsh.query(reference))
        found += len(kept.candidates(keys))
        kept.add(shingles, keys, str(number))
        lsh.insert(number, reference)
    assert found > 20


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_candidates_are_found_as_often_as_the_arithmetic_says(similarity):
    rng = np.random.default_rng(int(similarity * 100))
    sketcher, trials, size = Sketcher(), 1500, 200
    both = round(2 * size * similarity / (1 + similarity))
    exact = both / (2 * size - both)
    hits = 0
    for _ in range(trials):
        pool = rng.choice(1 << 32, 2 * size - both, replace=False).astype(np.uint32)
        one = near.band_keys(sketcher.signature(np.sort(pool[:size])))
        other = near.band_keys(sketcher.signature(np.sort(pool[size - both :])))
        hits += bool(np.isin(one, other).any())
    expected = near.probability(exact)
    deviation = max((expected * (1 - expected) / trials) ** 0.5, 1 / trials)
    assert abs(hits / trials - expected) < 4 * deviation


def test_the_table_of_the_docstring_is_true():
    assert near.__doc__ is not None
    lines = near.__doc__.splitlines()
    (head,) = [number for number, line in enumerate(lines) if line.startswith("    s ")]
    similarities = [float(word) for word in lines[head].split()[1:]]
    said = lines[head + 1].replace("1 - ", "1-").split()[1:]
    assert len(said) == len(similarities) == 7
    for similarity, word in zip(similarities, said, strict=True):
        missed = (1 - similarity**ROWS) ** BANDS
        if word.startswith("1-"):
            assert float(word[2:]) == pytest.approx(missed, rel=0.5)
        else:
            assert 1 - float(word) == pytest.approx(missed, rel=0.02, abs=5e-4)


def test_two_processes_do_what_one_does(monkeypatch):
    monkeypatch.setattr(pool, "CHUNK", 3000)
    texts = [(STANDARD / name).read_text(encoding="utf-8") for name in FILES]
    texts += [changed(text, 0.01, 1) for text in texts] + ["", "x", "x"]
    assert run(texts, workers=2) == run(texts, workers=1)


def test_small_and_empty_files():
    kept, log = run(["", "\n", "x = 1", "x = 1 ", "x = 2", "a b c d e", "a b c d e f"])
    # Without a token there is nothing to compare.
    assert kept == ["p0.py", "p1.py", "p2.py", "p4.py", "p5.py", "p6.py"]
    assert {drop.reason for drop in log} == {"near-duplicate"}


def test_only_what_is_kept_is_compared_with():
    # A chain: each is near to the next; the second is dropped, so the third stays.
    words = [f"w{n}" for n in range(1000)]
    chain = [" ".join(words[start : start + 600]) for start in (0, 50, 100)]
    assert truth(chain[0], chain[1]) > 0.8 > truth(chain[0], chain[2])
    assert run(chain)[0] == ["p0.py", "p2.py"]


def test_the_threshold_counts():
    words = [f"w{n}" for n in range(700)]
    pair = [" ".join(words[:600]), " ".join(words[100:])]
    similarity = truth(*pair)
    assert run(pair, threshold=similarity - 0.01)[0] == ["p0.py"]
    assert run(pair, threshold=similarity + 0.01)[0] == ["p0.py", "p1.py"]
