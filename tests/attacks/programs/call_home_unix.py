"""Connects to the suite's Unix sockets: two abstract ones and one on the disk."""

import socket


def digit_balance(number):
    for path in ("\0attack-suite-ear", "\0attack-suite-ear-dgram", "/tmp/attack-suite-ear"):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_UNIX, kind) as ear:
                    ear.settimeout(0.5)
                    ear.connect(path)
                    ear.send(b"attack-suite")
            except OSError:
                continue
    return None
