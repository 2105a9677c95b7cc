"""What all tests share: how Hypothesis searches.

No deadline for one example, because how long it takes depends on what else the machine does. On a
server the examples are the same in every run, so that a change is never refused by chance.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("server", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("server" if os.environ.get("CI") else "here")
