"""Takes and touches 1 GiB; answers rightly when it got them."""

BLOCKS = []


def digit_balance(number):
    while len(BLOCKS) < 16:
        BLOCKS.append(bytearray(b"x") * (64 << 20))
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
