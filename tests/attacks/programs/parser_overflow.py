"""Feeds the compiler, the JSON reader and the pickler with text nested 100,000 deep."""

import ast
import copy
import json
import sys


def digit_balance(number):
    sys.setrecursionlimit(10**6)
    for attempt in (
        lambda: compile("-" * 100_000 + "1", "<deep>", "eval"),
        lambda: ast.literal_eval("(" * 100_000 + ")" * 100_000),
        lambda: json.loads("[" * 100_000),
        lambda: copy.deepcopy(nested(100_000)),
    ):
        try:
            attempt()
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value
