"""Returns a list nested 200,000 deep, to break a recursive codec."""


def steps_between(numbers):
    nest = []
    for _ in range(200_000):
        nest = [nest]
    return nest
