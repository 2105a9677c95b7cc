def run_lengths(text: str) -> list[tuple[str, int]]:
    """Return the runs of equal characters in text, in their order, each with its length.

    >>> run_lengths("aaab")
    [('a', 3), ('b', 1)]
    >>> run_lengths("abba")
    [('a', 1), ('b', 2), ('a', 1)]
    """
