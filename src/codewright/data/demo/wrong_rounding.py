"""Wrong: spreads the light evenly over a round, which is right at the end of each round alone."""

import re


def lit_seconds(pattern, seconds):
    parts = [(letter, int(length)) for letter, length in re.findall(r"([LD])(\d+)", pattern)]
    whole = sum(length for _, length in parts)
    lit = sum(length for letter, length in parts if letter == "L")
    return round(seconds * lit / whole)
