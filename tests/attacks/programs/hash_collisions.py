"""Returns one dict of 6,000 colliding keys 200 times: the receiver builds each anew, slowly."""


def tally(words):
    step = (1 << 61) - 1
    table = dict.fromkeys((i * step for i in range(6_000)), 1)
    return {"a": [table] * 200}
