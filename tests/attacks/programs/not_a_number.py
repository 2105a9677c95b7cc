"""Returns NaN, infinities and signed noughts where a comparison may go either way."""


def middle(values):
    return float("nan")
