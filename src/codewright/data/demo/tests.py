"""Asserting code that calls the name it tests, as the tests of HumanEval and MBPP do."""


def check(candidate):
    assert candidate("L3D2", 4) == 3
    assert candidate("L3D2", 8) == 6
    assert candidate("L3D2", 0) == 0
    assert candidate("D5L1", 5) == 0
    assert candidate("D5L1", 6) == 1
    assert candidate("L3D2L1D10", 16) == 4
    assert candidate("L3D2L1D10", 40) == 12
    assert candidate("L12D8", 15) == 12
    assert candidate("L1", 1000) == 1000
    assert candidate("D7", 1000) == 0
    for seconds in range(60):
        lit = sum((second % 9) < 4 for second in range(seconds))
        assert candidate("L4D5", seconds) == lit


check(lit_seconds)
