"""Whether the C kernels were built here: without a C compiler they are not, and torch does it."""

from __future__ import annotations

import pytest

from codewright.engine import library
from codewright.errors import MissingKernels


def _builds() -> list[str]:
    try:
        return sorted(library.builds(library.find().calls))
    except MissingKernels:
        return []


BUILDS = _builds()
"""The builds that this processor runs."""

needs_kernels = pytest.mark.skipif(not BUILDS, reason="the C kernels were not built")
RUNNERS = [pytest.param("native", marks=needs_kernels), "torch"]
