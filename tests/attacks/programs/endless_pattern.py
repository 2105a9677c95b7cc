"""Matches a regular expression that takes exponential time."""

import re


def digit_balance(number):
    return 0 if re.match(r"(a|aa|a?a)+$", "a" * 200 + "b") else None
