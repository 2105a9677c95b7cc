"""The graph against a slow, obvious builder, ranks against a dense solution, impact's laws."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codewright.repo import graph as graphs
from codewright.repo import rank
from codewright.repo.edges import EdgeKind, edge_kind, is_test_file
from codewright.repo.graph import Graph
from codewright.repo.impact import impact
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.usages import usages
from tests.reference.index import MemoryIndex
from tests.repo.small import facts_of, index_of, named, place, repositories

SHOP = {
    "shop/__init__.py": "",
    "shop/base.py": (
        "class Base:\n    def total(self): return 0\n    def told(self): return self.total()\n"
    ),
    "shop/cart.py": (
        "from shop.base import Base\n"
        "from shop.tools import check\n"
        "class Cart(Base):\n"
        "    def __init__(self): check(1)\n"
        "    def total(self): return 1\n"
        "class Gift(Cart):\n"
        "    def total(self): return 2\n"
    ),
    "shop/tools.py": "def check(x): return x\ndef idle(x): return idle(x)\n",
    "shop/order.py": (
        "from shop.cart import Cart\ndef order():\n    cart = Cart()\n    return cart.told()\n"
    ),
    "tests/test_order.py": (
        "from shop.order import order\ndef test_order(): assert order()\ndef test_check(): pass\n"
    ),
}


def slow(index: MemoryIndex) -> set[tuple[str, str, EdgeKind]]:
    """Returns all edges but those of tests, by asking for the uses of every definition."""
    resolver = Resolver(index)
    found = set()
    for file in index.files():
        facts = facts_of(index, file.path)
        for ordinal, definition in enumerate(facts.definitions):
            target = Place(file.path, ordinal)
            if ordinal:
                parent = Place(file.path, definition.parent)
                found.add((parent, target, EdgeKind.CONTAINS))
            for use in usages(resolver, target).uses:
                kind = edge_kind(use.reference.use)
                source = Place(use.file.path, use.reference.scope)
                if source != target and (ordinal or kind == EdgeKind.IMPORTS):
                    found.add((source, target, kind))
                if kind == EdgeKind.IMPORTS and use.file.path != file.path:
                    files = Place(use.file.path, 0), Place(file.path, 0)
                    found.add((*files, EdgeKind.IMPORTS))
            order, _ = resolver.lookup.order(target) if definition.kind == 1 else ((), "")
            for inner, method in enumerate(facts.definitions):
                if inner and method.parent == ordinal and method.kind == 3:
                    for above in order[1:]:
                        others = enumerate(facts_of(index, above.path).definitions)
                        same = [
                            n
                            for n, d in others
                            if d.parent == above.ordinal and (d.name, d.kind) == (method.name, 3)
                        ]
                        if same:
                            there = Place(above.path, same[0])
                            found.add((Place(file.path, inner), there, EdgeKind.OVERRIDES))
                            break
    return {(named(index, s) + str(s), named(index, t) + str(t), k) for s, t, k in found}


def fast(index: MemoryIndex, graph: Graph) -> set[tuple[str, str, EdgeKind]]:
    edges = [graph.edge(at) for at in range(len(graph.source))]
    assert len({edge[:3] for edge in edges}) == len(edges)
    return {
        (named(index, e.source) + str(e.source), named(index, e.target) + str(e.target), e.kind)
        for e in edges
        if e.kind != EdgeKind.TESTS
    }


def built(index: MemoryIndex) -> Graph:
    return graphs.build(Resolver(index), [file.path for file in index.files()])


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(repositories(), st.integers(1, 3))
def test_law_the_graph_is_the_slow_one_and_impact_grows_with_depth(files, depth):
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder), files)
        graph = built(index)
        assert fast(index, graph) == slow(index)
        for node in range(graph.size):
            assert graph.node(graph.place(node)) == node
            here = graph.place(node)
            for edge in graph.neighbours(here):
                assert edge.source == here
                assert edge in graph.neighbours(edge.target, [edge.kind], back=True)
        resolver = Resolver(index)
        for node in range(0, graph.size, 3):
            less = impact(resolver, graph.place(node), depth)
            more = impact(resolver, graph.place(node), depth + 1)
            assert set(less.affected) <= set(more.affected)
            assert {one.depth for one in less.affected} <= set(range(1, depth + 1))
            for one in more.affected:
                assert more.way(one)[-1].depth == 1
                assert len(more.way(one)) == one.depth


def test_the_graph_is_kept_with_the_state(tmp_path):
    index = index_of(tmp_path, SHOP)
    first = graphs.load(index)
    assert index.kept(graphs.KEY) is not None
    again = graphs.load(index)
    assert fast(index, first) == fast(index, again)
    assert (first.confidence == again.confidence).all()
    assert (first.back == again.back).all()
    with pytest.raises(KeyError):
        first.node(Place("no.py", 0))


def test_tests_reach_what_they_use_and_what_they_are_called_after(tmp_path):
    index = index_of(tmp_path, SHOP)
    graph = built(index)

    def tested(name: str) -> set[tuple[str, float]]:
        edges = graph.neighbours(place(index, name), [EdgeKind.TESTS], back=True)
        return {(named(index, edge.source), edge.confidence) for edge in edges}

    test = "tests/test_order.py"
    assert tested("shop/order.py:order") == {(test, 1.0), (f"{test}:test_order", 1.0)}
    assert tested("shop/tools.py:check") == {(f"{test}:test_check", 0.5)}
    assert tested("shop/order.py") == {(test, 0.5)}
    assert tested("shop/tools.py:idle") == set()
    for path in (
        "a/tests/x.py",
        "test_a.py",
        "a.test.ts",
        "x_test.go",
        "conftest.py",
        "CartTest.java",
    ):
        assert is_test_file(path), path
    for path in ("latest.py", "attest/x.py", "contest.go", "a/testimony.py"):
        assert not is_test_file(path), path


def test_ranks_solve_the_equation_they_are_defined_by(tmp_path):
    index = index_of(tmp_path, SHOP)
    way = rank.walk(built(index))
    matrix = np.zeros((way.size, way.size))
    for source, target, share in zip(way.source, way.target, way.share, strict=True):
        matrix[target, source] += share
    rng = np.random.default_rng(1)
    for seeds in (None, {0: 1.0}, {int(n): float(n + 1) for n in rng.integers(0, way.size, 3)}):
        start = np.full(way.size, 1 / way.size)
        if seeds:
            start = np.zeros(way.size)
            for node, weight in seeds.items():
                start[node] += weight
            start /= start.sum()
        lost = np.diff(way.begins) == 0
        whole = matrix + np.outer(start, lost)
        exact = np.linalg.solve(
            np.eye(way.size) - rank.FOLLOWED * whole, (1 - rank.FOLLOWED) * start
        )
        found = rank.ranks(way, seeds)
        assert np.abs(found - exact).sum() < 1e-7
        assert abs(found.sum() - 1) < 1e-12
        if seeds:
            near = rank.around(way, seeds, left=0.001)
            assert np.abs(near - exact).sum() < 0.02
            assert abs(near.sum() - 1) < 1e-12


EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0.01, 1)), max_size=40)


@settings(deadline=None, max_examples=60)
@given(EDGES, st.dictionaries(st.integers(0, 9), st.floats(0.1, 5), max_size=3))
def test_law_ranks_are_shares(edges, seeds):
    edges.sort()
    way = rank.of_edges(
        10,
        np.array([e[0] for e in edges], dtype=np.int32),
        np.array([e[1] for e in edges], dtype=np.int32),
        np.array([e[2] for e in edges], dtype=np.float64),
    )
    found = rank.ranks(way, seeds)
    assert abs(found.sum() - 1) < 1e-9
    assert (found >= 0).all()
    if seeds:
        near = rank.around(way, seeds, left=1e-6)
        assert np.abs(near - found).sum() < 1e-4


def test_what_is_used_ranks_above_what_is_not(tmp_path):
    index = index_of(tmp_path, SHOP)
    graph = graphs.load(index)
    ranks = rank.load(index, graph)
    assert index.kept(rank.KEY) is not None
    assert np.abs(rank.load(index, graph) - ranks).max() < 1e-6

    def of(name: str) -> float:
        return float(ranks[graph.node(place(index, name))])

    assert of("shop/tools.py:check") > of("shop/tools.py:idle")
    assert of("shop/order.py:order") > of("tests/test_order.py:test_order")
    files = rank.of_files(graph, ranks)
    assert abs(files.sum() - 1) < 1e-6
    seeds = {graph.node(place(index, "shop/order.py:order")): 1.0}
    near = rank.around(rank.walk(graph), seeds)
    told, idle = (
        graph.node(place(index, n)) for n in ("shop/base.py:Base.told", "shop/tools.py:idle")
    )
    assert near[told] > 5 * near[idle]


def test_impact_goes_over_calls_heirs_overrides_and_makers(tmp_path):
    index = index_of(tmp_path, SHOP)
    resolver = Resolver(index)

    def broken(name: str, depth: int = 4) -> dict[str, tuple[int, str]]:
        found = impact(resolver, place(index, name), depth)
        assert found.left == 0
        assert all(0 < one.confidence <= 1 for one in found.affected)
        return {named(index, o.place): (o.depth, o.kind.name.lower()) for o in found.affected}

    base = broken("shop/base.py:Base.total")
    assert base["shop/cart.py:Cart.total"] == (1, "overrides")
    assert base["shop/cart.py:Gift.total"] == (1, "overrides")
    assert base["shop/base.py:Base.told"] == (1, "calls")
    assert base["shop/order.py:order"] == (2, "calls")
    assert base["tests/test_order.py:test_order"] == (3, "calls")
    # A call of the base's method may arrive here, and a call of the class at its constructor.
    assert broken("shop/cart.py:Cart.total")["shop/base.py:Base.told"] == (1, "calls")
    assert broken("shop/cart.py:Cart.__init__")["shop/order.py:order"] == (1, "calls")
    assert broken("shop/tools.py:check")["shop/order.py:order"] == (2, "calls")
    assert broken("shop/cart.py:Cart")["shop/cart.py:Gift"] == (1, "inherits")
    whole = broken("shop/tools.py", 1)
    assert whole["shop/cart.py"] == (1, "imports")
    assert broken("shop/tools.py:idle") == {}
    tests = impact(resolver, place(index, "shop/tools.py:check"), 3).tests()
    assert [named(index, one.place) for one in tests] == ["tests/test_order.py:test_order"]
