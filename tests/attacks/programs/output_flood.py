"""Prints 300 MB."""

import sys


def digit_balance(number):
    line = "attack-suite " * 8_000
    for _ in range(1_500):
        print(line)
        print(line, file=sys.stderr)
    return None
