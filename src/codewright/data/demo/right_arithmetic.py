"""Right: whole rounds by division, then the part of a round that is left."""

import re


def lit_seconds(pattern, seconds):
    parts = [(letter == "L", int(length)) for letter, length in re.findall(r"([LD])(\d+)", pattern)]
    rounds, left = divmod(seconds, sum(length for _, length in parts))
    lit = rounds * sum(length for is_lit, length in parts if is_lit)
    for is_lit, length in parts:
        lit += min(length, left) * is_lit
        left -= min(length, left)
    return lit
