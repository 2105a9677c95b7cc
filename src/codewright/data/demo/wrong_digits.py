"""Wrong: reads one digit of each number, so it holds up until a pattern has ten seconds."""

import re


def lit_seconds(pattern, seconds):
    one_round = "".join(
        letter * int(digit) for letter, digit in re.findall(r"([LD])(\d)", pattern)
    )
    return sum(one_round[second % len(one_round)] == "L" for second in range(seconds))
