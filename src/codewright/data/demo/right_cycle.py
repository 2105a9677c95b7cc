"""Right: writes out every second of one round and walks round and round."""

from itertools import cycle, islice


def lit_seconds(pattern, seconds):
    one_round, number = [], ""
    for character in reversed(pattern):
        if character.isdigit():
            number = character + number
        else:
            one_round = [character] * int(number) + one_round
            number = ""
    return sum(second == "L" for second in islice(cycle(one_round), seconds))
