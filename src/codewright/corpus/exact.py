"""Drops exact duplicates: of files with the same body, the first stays.

What counts as the body is said by `lexemes.body`: two copies may differ in line ends, trailing
white space and the licence comment at their top. Sixteen bytes of SHA-256 and the place of the
first copy are remembered for each file, nothing of its text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from codewright.corpus.lexemes import body
from codewright.corpus.steps import Drops
from codewright.types.document import Document


class Exact:
    """The step."""

    name = "exact-duplicates"

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields each document whose body has not been seen yet."""
        first: dict[bytes, str] = {}
        for document in documents:
            data = body(document.text).encode("utf-8", "surrogatepass")
            digest = hashlib.sha256(data).digest()[:16]
            if digest in first:
                drops.drop(document, "exact-duplicate", f"of {first[digest]}")
            else:
                first[digest] = f"{document.origin} {document.path}"
                yield document
