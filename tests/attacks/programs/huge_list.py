"""Returns 50 million items that are one object here and gigabytes once they are copied out."""


def steps_between(numbers):
    return ["attack-suite " * 8] * 50_000_000
