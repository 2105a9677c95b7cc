def values_match(got, expected, tolerance, *, loose_sequences=False): return got == expected
def outputs_match(got, expected, tolerance): return got.split() == expected.split()
def first_difference(got, expected): return "differs"
