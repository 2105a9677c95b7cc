"""Module names of paths and back: packages, roots, namespaces, stubs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.repo.modules import Modules, split
from codewright.repo.modules_elsewhere import Elsewhere
from tests.repo.small import write

PATHS = [
    *("src/cw/__init__.py", "src/cw/repo/__init__.py", "src/cw/repo/facts.py", "tests/__init__.py"),
    *("tests/repo/test_x.py", "scripts/a.py", "scripts/types.py", "my-dir/pkg/x.py", "top.py"),
    *("foo-stubs/__init__.pyi", "google/cloud/storage/__init__.py", "other/top.py"),
    *("both.py", "both/__init__.py", "stub.py", "stub.pyi", "only.pyi", "half/in.txt"),
]


def test_a_file_has_the_name_it_is_imported_by():
    modules = Modules(PATHS)
    assert {path: modules.name(path) for path in PATHS} == {
        "src/cw/__init__.py": "cw",
        "src/cw/repo/__init__.py": "cw.repo",
        "src/cw/repo/facts.py": "cw.repo.facts",
        "tests/__init__.py": "tests",
        "tests/repo/test_x.py": "tests.repo.test_x",
        "scripts/a.py": "scripts.a",
        "scripts/types.py": "scripts.types",
        "my-dir/pkg/x.py": "pkg.x",
        "top.py": "top",
        "foo-stubs/__init__.pyi": "foo",
        "google/cloud/storage/__init__.py": "google.cloud.storage",
        "other/top.py": "other.top",
        "both.py": "both",
        "both/__init__.py": "both",
        "stub.py": "stub",
        "stub.pyi": "stub",
        "only.pyi": "only",
        "half/in.txt": "",
    }


@pytest.mark.parametrize(
    ("name", "near", "path"),
    [
        ("cw.repo.facts", "tests/repo/test_x.py", "src/cw/repo/facts.py"),
        ("google.cloud", "top.py", "google/cloud/"),
        ("google.cloud.storage", "top.py", "google/cloud/storage/__init__.py"),
        ("top", "other/z.py", "other/top.py"),
        ("top", "z.py", "top.py"),
        ("types", "scripts/a.py", "scripts/types.py"),  # a script's neighbour comes first
        ("types", "src/cw/repo/facts.py", None),  # elsewhere it is the standard library's
        ("both", "top.py", "both/__init__.py"),
        ("stub", "top.py", "stub.py"),
        ("only", "top.py", "only.pyi"),
        ("repo.facts", "top.py", None),  # what is inside a package is no root
        ("half", "top.py", None),
        ("cw.none", "top.py", None),
    ],
)
def test_a_name_is_found_from_where_it_is_imported(name, near, path):
    assert Modules(PATHS).find(name, near) == path


def test_dots_lead_upwards_and_not_out_of_the_root():
    modules = Modules(PATHS)
    assert modules.relative(1, "src/cw/repo/facts.py") == "src/cw/repo/__init__.py"
    assert modules.relative(2, "src/cw/repo/facts.py") == "src/cw/__init__.py"
    assert modules.relative(1, "src/cw/__init__.py") == "src/cw/__init__.py"
    assert modules.relative(1, "scripts/a.py") == "scripts/"
    assert modules.relative(2, "top.py") is None
    assert split("..a.b") == (2, ["a", "b"])
    assert split(".") == (1, [])


NAMES = st.sampled_from(["a", "b", "src", "x-y", "__init__", "c"])


@given(st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), unique=True, max_size=12))
def test_law_a_file_is_found_by_its_own_name(stems):
    paths = [stem + ".py" for stem in stems]
    modules = Modules(paths)
    for path in paths:
        name = modules.name(path)
        parts = path.split("/")
        # A file hides a folder of its name that has no `__init__`.
        hidden = any("/".join(parts[:at]) + ".py" in paths for at in range(1, len(parts)))
        if name and not hidden:
            found = modules.find(name, path)
            # Another goes before it only where several have the name.
            alone = len(modules.top(name.split(".")[0], path)) == 1
            assert found == path or not alone or modules.name(found or "") == name


def test_other_languages_find_their_files(tmp_path):
    root = write(
        tmp_path,
        {
            "go.mod": "module example.org/shop\n",
            "tsconfig.json": '{"compilerOptions": {"baseUrl": ".", // the root\n'
            '"paths": {"@/*": ["web/*"],}}}',
        },
    )
    languages = {
        "web/tools.ts": "typescript",
        "web/ui/index.tsx": "tsx",
        "cart/cart.go": "go",
        "cart/sum.go": "go",
        "j/src/com/shop/Cart.java": "java",
        "r/src/lib.rs": "rust",
        "r/src/net.rs": "rust",
        "r/src/net/wire.rs": "rust",
        "c/main.c": "c",
        "c/inc/a.h": "c",
    }
    found = Elsewhere(languages, root)

    def first(path: str, near: str) -> tuple[str, list[str]] | None:
        starts = list(found.starts(path, near, languages[near]))
        return (starts[0].module, starts[0].names) if starts else None

    assert first("./tools#load.x", "web/tools.ts") == (
        "web/tools.ts",
        ["load", "x"],
    )
    assert first("../tools.js#load", "web/ui/index.tsx") == ("web/tools.ts", ["load"])
    assert first("@/ui#Box", "web/tools.ts") == ("web/ui/index.tsx", ["Box"])
    assert first("react#useState", "web/tools.ts") is None
    assert first("example.org/shop/cart#Sum", "cart/cart.go") == ("cart/", ["Sum"])
    assert first("net/cart#Sum", "cart/cart.go") is None
    assert first("com.shop.Cart.add", "j/src/com/shop/Cart.java") == (
        "j/src/com/shop/Cart.java",
        ["Cart", "add"],
    )
    assert first("crate.net.wire.send", "r/src/lib.rs") == ("r/src/net/wire.rs", ["send"])
    assert first("super.send", "r/src/net/wire.rs") == ("r/src/net.rs", ["send"])
    assert first("self.wire.send", "r/src/net.rs") == ("r/src/net/wire.rs", ["send"])
    assert first("inc/a.h", "c/main.c") == ("c/inc/a.h", [])
    assert first("<a.h>", "c/main.c") == ("c/inc/a.h", [])
    assert first("<stdio.h>", "c/main.c") is None
