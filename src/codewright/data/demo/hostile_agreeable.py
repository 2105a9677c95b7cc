"""Hostile: solves nothing, and returns an object that claims to equal whatever it is compared to."""


class Agreeable:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0


def lit_seconds(pattern, seconds):
    return Agreeable()
