"""The map: whole in one file, its one script allowed by its hash, foreign names harmless."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pytest

from codewright.repo import graph as graphs
from codewright.repo import map_page, rank
from codewright.repo.resolve import Resolver
from tests.pages import Reader
from tests.repo.small import index_of

EVIL = "</script><script>alert(1)</script>"
FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": (
        "from shop.tools import check\nclass Cart:\n    def add(self):\n"
        "        check()\n        check()\n\n"
    ),
    "shop/tools.py": "def check():\n    pass\n\n",
    "deep/er/est/a.py": "x = 1\n",
    "odd/<script>alert(1)<!--.py": "def f():\n    pass\n    pass\n",
}


def made(tmp_path, files=FILES, title=EVIL) -> str:
    index = index_of(tmp_path, files)
    resolver = Resolver(index)
    graph = graphs.load(index, resolver)
    return map_page.page(title, index, resolver, graph, rank.load(index, graph))


def data_of(page: str) -> dict:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(match[1])


def names(node) -> list[str]:
    return [node[0], *(name for child in node[4] or [] for name in names(child))]


def test_the_page_holds_all_and_only_its_own_script_may_run(tmp_path):
    page = made(tmp_path)
    reader = Reader(page)
    assert reader.open == []
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("script") == 2  # the data and the script, and none from a name
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(tags)
    for tag, attributes in reader.tags:
        assert not {"src", "href"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
    policy = next(a["content"] for t, a in reader.tags if t == "meta" and "http-equiv" in a)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "eval(",
        "document.write",
        "http:",
    ):
        assert forbidden not in script.replace("http://www.w3.org/2000/svg", "")
    data = data_of(page)
    assert data["title"] == EVIL
    assert {"Cart", "add", "tools.py", "deep/er/est", "<script>alert(1)<!--.py"} <= set(
        names(data["tree"])
    )
    assert "prefers-color-scheme:dark" in page


def test_the_data_says_who_imports_whom(tmp_path):
    data = data_of(made(tmp_path))
    order = sorted(FILES, key=str.encode)
    cart, tools = order.index("shop/cart.py"), order.index("shop/tools.py")
    assert data["imports"] == {str(cart): [tools]}
    assert data["importers"] == {str(tools): [cart]}


def test_very_many_files_of_a_folder_are_drawn_as_some(tmp_path, monkeypatch):
    monkeypatch.setattr(map_page, "_FOLDER_FILES", 5)
    files = {f"many/f{n}.py": "x = 1\n" * (n + 1) for n in range(9)}
    tree = data_of(made(tmp_path, files))["tree"]
    (many,) = tree[4]
    assert [child[0] for child in many[4]][-1] == "4 smaller files"
    assert many[1] == sum(range(1, 10))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_draws_it(tmp_path):
    page = made(tmp_path / "repository")
    path = tmp_path / "map.html"
    path.write_text(page, encoding="utf-8")
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,900", path.as_uri()),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    drawn = re.findall(r'aria-label="([^"]*?), (\d+) lines', result.stdout)
    assert ("shop/cart.py:Cart.add", "3") in drawn, result.stderr[-2000:]
    assert ("odd/&lt;script&gt;alert(1)&lt;!--.py", "3") in [
        (name.replace("<", "&lt;").replace(">", "&gt;"), lines) for name, lines in drawn
    ]
