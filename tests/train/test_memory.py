"""What is freed is kept: the kernel is not asked for the same pages again and again."""

import json
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys, torch
from codewright.train import memory

torch.set_num_threads(1)
kept = memory.keep() if sys.argv[1] == "keep" else False
faults = []
for _ in range(24):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16_000_000)  # 64 MB, freed at once: more than what glibc learns to keep by itself
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(json.dumps([kept, faults]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_freed_memory_is_kept():
    told = {}
    for how in ("keep", "leave"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, how], capture_output=True, check=True, timeout=120
        )
        told[how] = json.loads(done.stdout)
    assert told["keep"][0]
    assert told["leave"][1][-1] > 0, "nothing to be saved here: the test says nothing"
    # The heap grows by 256 MB at first, and glibc may walk through those once before it turns back.
    assert sum(told["keep"][1][12:]) < 0.05 * sum(told["leave"][1][12:])
