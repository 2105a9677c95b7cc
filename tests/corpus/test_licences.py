"""Licences: expressions against a truth table, declarations in all their forms, headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.corpus.filters_licence import Licences, header, of_file
from codewright.corpus.licence_names import PERMISSIVE
from codewright.corpus.licences import from_metadata, from_name, from_text, permits
from codewright.corpus.recipe import FilterConfig
from tests.corpus.planting import GPL, MIT, document, kept

trees = st.recursive(
    st.sampled_from(["MIT", "Apache-2.0", "GPL-3.0-only", "LGPL-2.1+", "Unheard-1.0", "0BSD+"]),
    lambda inner: st.tuples(inner, st.sampled_from(["AND", "OR", "or", "WITH"]), inner),
    max_leaves=8,
)


def written(tree) -> str:
    if isinstance(tree, str):
        return tree
    left, word, right = tree
    if word == "WITH":
        return f"({written(left)})"
    return f"({written(left)} {word}  {written(right)})"


def truth(tree) -> bool:
    if isinstance(tree, str):
        return tree.removesuffix("+") in PERMISSIVE
    left, word, right = tree
    if word == "WITH":
        return truth(left)
    both = truth(left), truth(right)
    return all(both) if word == "AND" else any(both)


@given(trees)
def test_an_expression_means_what_its_tree_means(tree):
    assert permits(written(tree)) == truth(tree)
    assert permits(written(tree).lower()) == truth(tree)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT OR GPL-3.0-only AND GPL-2.0-only", True),  # AND binds tighter
        ("GPL-3.0-only OR GPL-2.0-only AND MIT", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("Apache-2.0 AND (MIT OR GPL-3.0-only)", True),
        ("", False),
        ("   ", False),
        ("MIT AND", False),
        ("AND MIT", False),
        ("MIT MIT", False),
        ("(MIT", False),
        ("MIT)", False),
        ("()", False),
        ("MIT WITH", False),
        ("MIT WITH (x)", False),
        ("MIT OR OR MIT", False),
        ("MIT; rm -rf", False),
        ("LicenseRef-Copyleft", False),
    ],
)
def test_expressions_that_are_odd(expression, allowed):
    assert permits(expression) is allowed


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text):
    permits(text)
    from_name(text)
    from_text(text)
    header(text)


BSD = (
    "Copyright (c) 2020, Somebody\nAll rights reserved.\n\nRedistribution and use in source and "
    "binary forms, with or without\nmodification, are permitted provided that: 1. x"
)
TEXTS = {
    "MIT": MIT,
    "MIT-0": "Permission is hereby granted, free of charge, to any person obtaining a copy. AS IS",
    "BSD-2-Clause": BSD,
    "BSD-3-Clause": f"{BSD}\n * Neither the name of the holder nor the names",
    "BSD-4-Clause": f"{BSD} All advertising materials mentioning features",
    "Apache-2.0": "      Apache License\n   Version 2.0, January 2004\n http://www.apache.org/",
    "ISC": 'Permission to use, copy, modify, and/or distribute this software for any\npurpose with '
    "or without fee is hereby granted, provided that the above notice",
    "0BSD": "Permission to use, copy, modify, and/or distribute this software for any\npurpose "
    "with or without fee is hereby granted.\n\nTHE SOFTWARE",
    "PSF-2.0": "1. This LICENSE AGREEMENT\nPYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n",
    "Unlicense": "This is free and unencumbered software released into the public domain.",
    "Zlib": "This software is provided 'as-is', without any express or implied\nwarranty.",
    "BSL-1.0": "Boost Software License - Version 1.0 - August 17th, 2003",
    "GPL-3.0-or-later": GPL,
    "GPL-2.0-or-later": "GNU GENERAL PUBLIC LICENSE\nVersion 2, June 1991",
    "LGPL-3.0-or-later": "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3\nGNU General Public",
    "AGPL-3.0-or-later": "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3",
    "MPL-2.0": "Mozilla Public License Version 2.0\n",
    "HPND": "Permission to use, copy, modify and distribute this software and its documentation",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_licence_is_known_by_its_wording_however_it_is_broken_into_lines(name):
    text = TEXTS[name]
    assert from_text(text) == name
    assert from_text("\n".join(f"#   {line}" for line in text.split("\n"))) == name
    assert from_text(f"Some Project\n{text}\n\nBundled:\n{GPL}") == name  # the first one counts
    assert permits(name) is (name in PERMISSIVE)


def test_the_wording_of_nothing_is_nothing():
    assert from_text("You may look at it.") == ""
    assert from_text("") == ""


def classifier(name: str) -> str:
    return f"License :: OSI Approved :: {name}"


@pytest.mark.parametrize(
    ("expression", "field", "classifiers", "texts", "found"),
    [
        ("MIT OR Apache-2.0", "GPL", [classifier("X")], [GPL], "MIT OR Apache-2.0"),
        ("", "MIT", [], [], "MIT"),
        ("", "mit license", [classifier("MIT License")], [MIT], "MIT"),
        ("", "BSD", [classifier("BSD License")], [TEXTS["BSD-3-Clause"]], "BSD-3-Clause"),
        ("", "BSD", [], [], "LicenseRef-BSD"),
        ("", "Apache 2.0", [], [], "Apache-2.0"),
        ("", "Apache License, Version 2.0", [classifier("Apache Software License")], [],
         "Apache-2.0"),
        ("", "", [classifier("MIT License")], [], "MIT"),
        ("", "", ["License :: OSI Approved"], [MIT], "MIT"),
        ("", "UNKNOWN", [], [MIT], "MIT"),
        ("", "", [], [], ""),
        ("", "see the file", [], [], ""),
        ("", "", [classifier("Weird Public License")], [], ""),
        ("", "MIT", [classifier("Weird License")], [], "MIT"),
        ("", "MIT", [], [GPL], "GPL-3.0-or-later AND MIT"),
        ("", "MIT", [classifier("GNU General Public License v3 (GPLv3)")], [],
         "MIT AND LicenseRef-Copyleft"),
        ("", "GPLv3+", [], [], "GPL-3.0-or-later"),
        ("", "LGPL", [], [], "LGPL-2.1-or-later"),
        ("", "MIT OR Apache-2.0", [], [], "MIT OR Apache-2.0"),
        ("", "MIT AND GPL-3.0", [], [], "LicenseRef-Copyleft"),
        ("", MIT, [], [], "MIT"),
        ("", "", [classifier("BSD License"), classifier("Apache Software License")], [],
         "LicenseRef-BSD AND Apache-2.0"),
        ("", "", ["License :: Other/Proprietary License"], [], ""),
        ("", "Proprietary", [], [], ""),
        ("", "BSD 3-Clause OR Apache-2.0", [], [], "BSD-3-Clause OR Apache-2.0"),
        ("", "MIT/X11, ISC", [], [], "MIT AND X11 AND ISC"),
        ("", "(MIT License or Apache 2.0) and ISC", [], [], "(MIT OR Apache-2.0) AND ISC"),
        ("", "MIT or Whatever", [], [], ""),
        ("", "MIT or", [], [], ""),
    ],
)  # fmt: skip
def test_what_a_distribution_declares(expression, field, classifiers, texts, found):
    assert from_metadata(expression, field, classifiers, texts) == found
    assert permits(found) is (bool(found) and "GPL" not in found and "Copyleft" not in found)


CODE = "import os\n\n\ndef f(x):\n    return os.path.join(x)\n"
HEADS = {
    "# SPDX-License-Identifier: Apache-2.0\n": "Apache-2.0",
    "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n# SPDX-License-Identifier: GPL-2.0-only\n": (
        "GPL-2.0-only"
    ),
    '"""A module.\n\nSPDX-License-Identifier: MIT OR GPL-3.0-only\n"""\n': "MIT OR GPL-3.0-only",
    "# This program is free software under the terms of the GNU General\n# Public License\n": (
        "GPL-2.0-or-later"
    ),
    "# GNU Lesser General Public License, version 2.1\n": "LGPL-2.1-or-later",
    "'''Licensed under the AGPLv3.'''\n": "AGPL-3.0-or-later",
    "# This Source Code Form is subject to the Mozilla Public License\n": "MPL-2.0",
    "# Copyright (c) 2020 Acme. All rights reserved.\n": "LicenseRef-All-Rights-Reserved",
    "# Acme: PROPRIETARY AND CONFIDENTIAL\n": "LicenseRef-All-Rights-Reserved",
    "# Copyright 2020 Acme. All rights reserved.\n# Licensed under the Apache License\n": "ISC",
    "# All rights reserved. Redistribution and use in source and binary\n": "ISC",
    "# Written by hand.\n": "ISC",
    "": "ISC",
}


@pytest.mark.parametrize("head", HEADS)
def test_a_header_beats_the_distribution(head):
    found = of_file(document(head + CODE, licence="ISC"))
    assert found == HEADS[head]
    step = Licences(FilterConfig())
    left, books = kept(step, document(head + CODE, licence="ISC"))
    assert bool(left) is permits(found)
    assert [d.licence for d in left] == [found] * len(left)
    assert books.drops.counts.keys() == (
        set() if left
        else {"all-rights-reserved" if "Reserved" in found else "licence"}
    )  # fmt: skip


def test_what_stands_in_code_is_no_header():
    text = CODE + '\nLICENCES = "GNU General Public License"\n# SPDX-License-Identifier: GPL-2.0\n'
    assert of_file(document(text)) == "MIT"
    assert of_file(document('x = 1\n"""GNU General Public License"""\n')) == "MIT"
    assert header(CODE) == ""


def test_unknown_is_not_permitted_and_a_recipe_may_change_the_list():
    files = [document(CODE, licence=name) for name in ("", "Foo-1.0", "MPL-2.0", "MIT")]
    left, books = kept(Licences(FilterConfig()), *files)
    assert [d.licence for d in left] == ["MIT"]
    assert set(books.drops.counts) == {"unknown-licence", "licence"}
    own = FilterConfig(permissive=("MPL-2.0",), refused=("MIT",))
    left, _ = kept(Licences(own), *files)
    assert [d.licence for d in left] == ["MPL-2.0"]
