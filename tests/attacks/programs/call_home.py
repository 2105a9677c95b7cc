"""Connects to the suite's ears on this machine: TCP, UDP, IPv4 and IPv6."""

import socket

PORT = 17653


def digit_balance(number):
    names = ["127.0.0.1", "::1", "localhost", "0.0.0.0"]
    try:
        names.append(socket.gethostbyname(socket.gethostname()))
    except OSError:
        pass
    for name in names:
        family = socket.AF_INET6 if ":" in name else socket.AF_INET
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(family, kind) as ear:
                    ear.settimeout(0.5)
                    ear.connect((name, PORT))
                    ear.send(b"attack-suite")
            except OSError:
                continue
    return None
