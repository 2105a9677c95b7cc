"""Right: keeps the running totals of one round and looks a moment up by bisection."""

from bisect import bisect_right


def lit_seconds(pattern, seconds):
    ends, lit_before = [0], [0]
    for part in pattern.replace("L", " L").replace("D", " D").split():
        length = int(part[1:])
        ends.append(ends[-1] + length)
        lit_before.append(lit_before[-1] + length * (part[0] == "L"))
    rounds, moment = divmod(seconds, ends[-1])
    place = bisect_right(ends, moment) - 1
    burning = place < len(ends) - 1 and lit_before[place + 1] > lit_before[place]
    return rounds * lit_before[-1] + lit_before[place] + burning * (moment - ends[place])
