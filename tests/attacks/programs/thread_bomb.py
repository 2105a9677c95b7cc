"""Starts 300 threads that never end; answers rightly when they all run."""

import threading
import time


def digit_balance(number):
    threading.stack_size(64 << 10)
    try:
        for _ in range(300):
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    except RuntimeError:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
