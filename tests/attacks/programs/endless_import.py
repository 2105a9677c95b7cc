"""Never comes to define the function: an endless loop at the top of the program."""

while True:
    pass


def digit_balance(number):
    return None
