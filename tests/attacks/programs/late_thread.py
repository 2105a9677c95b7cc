"""Answers wrongly, while a thread goes on to write passes into whatever main is doing."""

import sys
import threading
import time


def meddle(main):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        frame = sys._current_frames().get(main)
        while frame is not None:
            for value in list(frame.f_locals.values()):
                if hasattr(value, "_callmethod"):
                    value.append("passed")
                    return
            frame = frame.f_back
        time.sleep(0.001)


threading.Thread(target=meddle, args=(threading.get_ident(),), daemon=True).start()


def digit_balance(number):
    time.sleep(0.3)
    return None
