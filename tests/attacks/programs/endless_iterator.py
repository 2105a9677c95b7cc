"""Consumes an endless iterator inside a C function."""

import collections
import itertools


def digit_balance(number):
    collections.deque(itertools.count(), maxlen=0)
    return None
