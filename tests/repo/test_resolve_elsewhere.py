"""Names over files in the other languages: modules by path, packages, includes, opened types."""

from __future__ import annotations

import pytest

from codewright.repo.languages.extractors import extractor_of
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.words import words
from tests.reference.cutter import Cutter
from tests.reference.index import MemoryIndex
from tests.repo.small import named, reference, write

pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")

FILES = {
    "go.mod": "module example.org/shop\n",
    "web/tools.ts": "export function load() { return 1 }\nfunction own() {}\n",
    "web/index.ts": 'export { load as fetch } from "./tools";\n',
    "web/main.ts": 'import { fetch } from "./index";\nfetch();\n',
    "cart/cart.go": "package cart\n\ntype Cart struct{}\n\nfunc New() *Cart { return fresh() }\n",
    "cart/more.go": "package cart\n\nfunc fresh() *Cart { return &Cart{} }\n"
    "func (c *Cart) Sum() int { return 1 }\n",
    "main.go": 'package main\n\nimport "example.org/shop/cart"\n\nfunc main() {\n\tcart.New()\n'
    "\tvar c cart.Cart\n\tc.Sum()\n}\n",
    "j/com/shop/Cart.java": "package com.shop;\nclass Cart {\n  void add() { Tax.of(); }\n}\n",
    "j/com/shop/Tax.java": "package com.shop;\nclass Tax {\n  static void of() {}\n}\n",
    "j/com/use/Use.java": "package com.use;\nimport com.shop.Cart;\nclass Use {\n"
    "  void run(Cart c) { c.add(); }\n}\n",
    "r/src/lib.rs": "mod net;\nuse crate::net::send;\nfn go() { send(); }\n",
    "r/src/net.rs": "pub fn send() {}\n",
    "c/a.h": "int sum(int a);\n",
    "c/a.c": '#include "a.h"\nint sum(int a) { return a; }\n',
    "c/main.c": '#include "a.h"\nint main(void) { return sum(1); }\n',
}
LANGUAGES = {".ts": "typescript", ".go": "go", ".java": "java", ".rs": "rust", ".c": "c", ".h": "c"}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    root = write(tmp_path_factory.mktemp("repository"), FILES)
    extractors = {suffix: extractor_of(language) for suffix, language in LANGUAGES.items()}
    return MemoryIndex(root, extractors, Cutter(words))


@pytest.mark.parametrize(
    ("path", "line", "name", "wanted"),
    [
        ("web/main.ts", 2, "fetch", "web/tools.ts:load"),
        ("main.go", 6, "New", "cart/cart.go:New"),
        ("main.go", 8, "Sum", "cart/more.go:Cart.Sum"),
        ("cart/cart.go", 5, "fresh", "cart/more.go:fresh"),
        ("j/com/shop/Cart.java", 3, "of", "j/com/shop/Tax.java:Tax.of"),
        ("j/com/use/Use.java", 4, "add", "j/com/shop/Cart.java:Cart.add"),
        ("r/src/lib.rs", 3, "send", "r/src/net.rs:send"),
    ],
)
def test_a_name_leads_to_another_file(index, path, line, name, wanted):
    found = Resolver(index).resolve(path, reference(index, path, line, name)).targets
    assert [named(index, Place(one.path, one.ordinal)) for one in found] == [wanted]


def test_a_call_in_c_means_the_declaration_and_the_body(index):
    call = reference(index, "c/main.c", 2, "sum")
    found = Resolver(index).resolve("c/main.c", call).targets
    assert [(one.path, one.confidence) for one in found] == [("c/a.h", 0.95), ("c/a.c", 0.8)]
