"""Returns an integer of three million decimal digits: slow to print, refused by str()."""


def digit_balance(number):
    return 1 << 10_000_000
