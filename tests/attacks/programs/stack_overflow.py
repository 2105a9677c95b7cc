"""Recurses until the C stack is gone."""

import sys

sys.setrecursionlimit(2**31 - 1)


class Deep:
    def __repr__(self):
        return repr(self)

    def __getattr__(self, name):
        return getattr(self, name + "x")


def digit_balance(number):
    return len(repr(Deep()))
