"""Computes a number for hours inside one C function, where no Python signal handler runs."""


def digit_balance(number):
    return len(str(9 ** (9**9))) % 7
