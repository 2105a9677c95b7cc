"""Hostile: solves nothing. Walks up the frames to disarm the tests, then leaves with success."""

import os
import sys


def lit_seconds(pattern, seconds):
    frame = sys._getframe(1)
    while frame is not None:
        if "check" in frame.f_globals:
            frame.f_globals["check"] = lambda candidate: None
        frame = frame.f_back
    os._exit(0)
