"""Waits without computing: a limit of CPU time alone never ends it."""

import time


def digit_balance(number):
    time.sleep(10**8)
    return None
