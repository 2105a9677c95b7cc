"""What references mean, over files; and that the way back finds the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from codewright.repo.places import Place
from codewright.repo.resolve import COMMON_NEAR, Resolver
from codewright.repo.usages import names_of, usages
from tests.repo.small import facts_of, index_of, meant, named, place, reference, repositories

SHOP = {
    "shop/__init__.py": (
        "from .cart import Cart as Basket\nfrom .tools import *\nfrom . import mail\n"
    ),
    "shop/cart.py": (
        "from shop.base import Base\n"
        "class Cart(Base):\n"
        "    def add(self, price):\n"
        "        self.check(price)\n"
        "        super().add(price)\n"
        "        self.lines.push(price)\n"
        "    def total(self): return self.rate\n"
    ),
    "shop/base.py": (
        "from shop.lines import Lines\n"
        "class Base:\n"
        "    rate: float = 1\n"
        "    def __init__(self):\n"
        "        self.lines = Lines()\n"
        "    def check(self, price): pass\n"
        "    def add(self, price): pass\n"
    ),
    "shop/lines.py": "class Lines:\n    def push(self, x): pass\n    def get(self): pass\n",
    "shop/tools.py": "__all__ = ['load']\ndef load(): pass\ndef hidden(): pass\n",
    "shop/mail.py": "import smtplib\ndef send(): smtplib.SMTP()\n",
    "use.py": (
        "import shop\n"
        "import shop.cart as sc\n"
        "from shop import Basket, load, mail, nothing\n"
        "def f(thing, other):\n"
        "    cart = Basket()\n"
        "    cart.add(1)\n"
        "    cart.check(2)\n"
        "    load()\n"
        "    mail.send()\n"
        "    sc.Cart.total(cart)\n"
        "    thing.push(3)\n"
        "    other.get()\n"
        "    shop.hidden()\n"
        "    len(other)\n"
        "    missing()\n"
    ),
}


def test_references_lead_to_definitions_over_files(tmp_path):
    index = index_of(tmp_path, SHOP)
    resolver = Resolver(index)

    def at(path: str, line: int, name: str) -> list[str]:
        return meant(resolver, index, path, line, name)

    cart, base = "shop/cart.py", "shop/base.py"
    assert at("use.py", 5, "Basket") == [f"{cart}:Cart"]
    assert at("use.py", 6, "add") == [f"{cart}:Cart.add"]
    assert at("use.py", 7, "check") == [f"{base}:Base.check"]  # inherited, of a guessed type
    assert at("use.py", 8, "load") == ["shop/tools.py:load"]  # a star import's
    assert at("use.py", 9, "send") == ["shop/mail.py:send"]  # a submodule's
    assert at("use.py", 10, "total") == [f"{cart}:Cart.total"]
    assert at("use.py", 11, "push") == ["shop/lines.py:Lines.push"]  # the only one of that name
    assert at(cart, 4, "check") == [f"{base}:Base.check"]
    assert at(cart, 5, "add") == [f"{base}:Base.add"]  # super
    assert at(cart, 6, "push") == ["shop/lines.py:Lines.push"]  # what __init__ of a base made
    assert at(cart, 7, "rate") == [f"{base}:Base.rate"]
    assert at("use.py", 3, "mail") == ["shop/mail.py"]
    hidden = resolver.resolve("use.py", reference(index, "use.py", 13, "hidden"))
    assert (hidden.targets, hidden.missing) == ((), "shop.hidden")  # __all__ leaves it out
    gone = resolver.resolve("use.py", reference(index, "use.py", 3, "nothing"))
    assert (gone.targets, gone.missing) == ((), "shop.nothing")
    outside = resolver.resolve("shop/mail.py", reference(index, "shop/mail.py", 2, "SMTP"))
    assert (outside.targets, outside.external) == ((), "smtplib.SMTP")
    builtin = resolver.resolve("use.py", reference(index, "use.py", 14, "len"))
    assert (builtin.targets, builtin.external) == ((), "builtins.len")
    assert at("use.py", 15, "missing") == []


def test_a_guess_is_worth_less_than_what_is_known(tmp_path):
    index = index_of(tmp_path, SHOP)
    resolver = Resolver(index)

    def sure(path: str, line: int, name: str) -> float:
        return resolver.resolve(path, reference(index, path, line, name)).targets[0].confidence

    known, typed = sure("use.py", 5, "Basket"), sure("use.py", 6, "add")
    inherited, by_name = sure("use.py", 7, "check"), sure("use.py", 11, "push")
    common = sure("use.py", 12, "get")
    assert 1.0 == known > typed > inherited > by_name > common
    assert common <= COMMON_NEAR


@pytest.mark.parametrize(
    ("files", "line", "name", "wanted"),
    [
        # An attribute of a package goes before the module of that name.
        ({"p/__init__.py": "from p.x import x\n", "p/x.py": "def x(): pass\n",
          "u.py": "from p import x\nx()\n"}, 2, "x", ["p/x.py:x"]),
        # The diamond: the second base before the common one.
        ({"d.py": "class O:\n    def m(self): pass\nclass A(O): pass\nclass B(O):\n"
                  "    def m(self): pass\nclass C(A, B): pass\n",
          "u.py": "from d import C\nC.m(1)\n"}, 2, "m", ["d.py:B.m"]),
        # An annotation of an attribute, with None and in quotes.
        ({"d.py": "class A:\n    def m(self): pass\nclass B:\n    a: 'Optional[A]' = None\n",
          "u.py": "from d import B\nB.a.m()\n"}, 2, "m", ["d.py:A.m"]),
        # A circle of star imports ends.
        ({"a.py": "from b import *\n", "b.py": "from a import *\nfrom c import *\n",
          "c.py": "from a import *\ndef f(): pass\n", "u.py": "from a import f\nf()\n"},
         2, "f", ["c.py:f"]),
        # What two branches define are both meant, the first more.
        ({"d.py": "try:\n    from e import f\nexcept ImportError:\n    def f(): pass\n",
          "u.py": "import d\nd.f()\n"}, 2, "f", ["d.py:f"]),
        # A namespace over two folders below `src`.
        ({"src/n/a/x.py": "def f(): pass\n", "n/b/y.py": "",
          "u.py": "import n.a.x\nn.a.x.f()\n"}, 2, "f", ["src/n/a/x.py:f"]),
        # A property's type.
        ({"d.py": "class A:\n    def m(self): pass\nclass B:\n    @property\n"
                  "    def a(self) -> 'A': pass\n",
          "u.py": "from d import B\nB.a.m()\n"}, 2, "m", ["d.py:A.m"]),
    ],
)  # fmt: skip
def test_the_harder_ways_of_python(tmp_path, files, line, name, wanted):
    index = index_of(tmp_path, files)
    assert meant(Resolver(index), index, "u.py", line, name) == wanted


def test_uses_are_found_under_every_name(tmp_path):
    index = index_of(tmp_path, SHOP)
    resolver = Resolver(index)
    cart = place(index, "shop/cart.py:Cart")
    assert names_of(resolver, cart) == {"Cart", "Basket"}
    found = usages(resolver, cart)
    assert {(use.file.path, use.reference.line) for use in found.uses} == {
        ("shop/__init__.py", 1), ("use.py", 3), ("use.py", 5), ("use.py", 10),
    }  # fmt: skip
    assert found.left == 0
    assert usages(resolver, place(index, "shop/lines.py:Lines.push"), files=1).left == 1


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(repositories())
def test_law_uses_are_what_resolves_to_it_in_any_order(files):
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder), files)
        forwards, backwards = Resolver(index), Resolver(index)
        every = [(f.path, r) for f in index.files() for r in facts_of(index, f.path).references]
        meant_by = {}
        for path, one in every:
            meant_by[path, one] = forwards.resolve(path, one)
        for path, one in reversed(every):
            assert backwards.resolve(path, one) == meant_by[path, one]
        third = Resolver(index)
        for file in index.files():
            for ordinal in range(len(facts_of(index, file.path).definitions)):
                where = Place(file.path, ordinal)
                wanted = {
                    (path, one.line, one.column)
                    for (path, one), found in meant_by.items()
                    if where in [Place(t.path, t.ordinal) for t in found.targets]
                }
                got = usages(third, where)
                places = {(u.file.path, u.reference.line, u.reference.column) for u in got.uses}
                assert places == wanted, named(index, where)
                assert got.left == 0
        for found in meant_by.values():
            assert all(0 < target.confidence <= 1 for target in found.targets)
