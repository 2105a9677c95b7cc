"""`symbols` and `impact` as commands: what is printed, for whom, and the exit codes."""

from __future__ import annotations

import json

import pytest

from codewright.cli.main import COMMANDS, run
from tests.repo.small import write
from tests.repo.test_graph import SHOP


@pytest.fixture
def shop(tmp_path, monkeypatch):
    root = write(tmp_path / "shop", {**SHOP, "pyproject.toml": ""})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    return root


def test_symbols_lists_a_file_a_folder_and_one_definition(shop, capsys):
    assert run(["symbols", "shop/cart.py"], COMMANDS) == 0
    text = capsys.readouterr().out
    assert "shop/cart.py  7 lines" in text
    assert "\n  3  class Cart(Base)\n  4    def __init__(self)\n" in text
    assert run(["symbols", "shop"], COMMANDS) == 0
    text = capsys.readouterr().out
    assert "class Gift(Cart)" in text
    assert "__init__(self)" not in text
    assert run(["symbols", "shop", "--kind", "method", "--json"], COMMANDS) == 0
    told = json.loads(capsys.readouterr().out)
    names = [d["name"] for file in told for d in file["definitions"]]
    assert "Cart.total" in names
    assert "Cart" not in names
    assert run(["symbols", "shop/cart.py:Cart", "--json"], COMMANDS) == 0
    (cart,) = json.loads(capsys.readouterr().out)
    assert cart["signature"] == "class Cart(Base)"
    assert [d["name"] for d in cart["definitions"]] == ["Cart.__init__", "Cart.total"]


def test_findings_are_an_exit_code(shop, capsys):
    assert run(["symbols", "--unused"], COMMANDS) == 1
    assert "shop/tools.py:2" in capsys.readouterr().out
    assert run(["symbols", "shop/order.py", "--unused"], COMMANDS) == 0
    assert capsys.readouterr().out == "none\n"
    assert run(["symbols", "--dangling"], COMMANDS) == 0
    (shop / "late.py").write_text("from shop.tools import nothing\n")
    assert run(["symbols", "--dangling", "--json"], COMMANDS) == 1
    (one,) = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (one["path"], one["line"], one["name"]) == ("late.py", 1, "shop.tools.nothing")


def test_impact_shows_steps_and_tests_from_any_folder(shop, capsys, monkeypatch):
    monkeypatch.chdir(shop / "shop")
    assert run(["impact", "tools.py:check"], COMMANDS) == 0
    text = capsys.readouterr().out
    assert "shop/cart.py:4  Cart.__init__  calls check" in text
    assert "tests to run\n  tests/test_order.py::test_order\n" in text
    assert run(["impact", "check", "--json", "--depth", "2"], COMMANDS) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["depth"] for one in told["affected"]} == {1, 2}
    (order,) = (one for one in told["affected"] if one["name"] == "order")
    assert order["way"] == ["shop/cart.py:4  Cart.__init__", "shop/tools.py:1  check"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["impact", "total"], "total may be any of 3"),
        (["impact", "nowhere"], "nothing here is called nowhere"),
        (["symbols", "shop/no.py"], "shop/no.py has no file in the index"),
        (["symbols", "--kind", "thing"], "no kind is called 'thing'"),
        (["symbols", "--unused", "--dangling"], "two questions"),
        (["symbols", "/"], "/ is not inside"),
    ],
)
def test_mistakes_are_told(shop, capsys, arguments, said):
    assert run(arguments, COMMANDS) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "hint: " in error
