"""Reads address nought: the process dies by SIGSEGV."""

import ctypes


def digit_balance(number):
    return ctypes.string_at(0)
