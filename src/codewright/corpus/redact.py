"""The step that replaces what points to a person or a machine by fixed neutral values.

E-mail addresses, credentials in web addresses, public IP addresses, and random values that stand
under the name of a key. A replacement is a value of the same sort, so the program still parses.
Examples reserved for documentation (RFC 2606, 5737, 3849) stay as they are. Each change is counted.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from codewright.corpus.steps import Drops
from codewright.types.document import Document

EMAIL = "user@example.com"
IPV4 = "192.0.2.1"
IPV6 = "2001:db8::1"
KEY = "REDACTED"
PASSWORD = "user:password"

_TOP_LEVEL = frozenset({
    "ai", "app", "ar", "at", "au", "be", "biz", "br", "ca", "cc", "cn", "co", "com", "cz", "de",
    "dev", "dk", "edu", "es", "eu", "fi", "fr", "gov", "gr", "hk", "hu", "ie", "il", "in", "info",
    "io", "jp", "kr", "ly", "me", "mil", "mx", "name", "net", "nl", "no", "nz", "org", "pl", "pt",
    "ro", "ru", "se", "sg", "sk", "tr", "tv", "tw", "ua", "uk", "us", "za",
})  # fmt: skip
"""Ends of domains. Not all there are: `x @ w.to(device)` is no address, and `.to` is a domain."""

_DOMAIN = re.compile(r"@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+)(?![\w(\[])")
_LOCAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._%+-]*$")
_ESCAPE = re.compile(r"u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.")
"""What follows a backslash and belongs to it: without it the string would not parse any more."""

_LOGIN = re.compile(r"://[^\s/@]*$")
"""Before the @ of a web address stand a name and a password, which were dealt with."""

_RESERVED = re.compile(
    r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)$", re.IGNORECASE
)
# A search that begins with one certain character runs a hundred times faster than one that does
# not, so files without these never meet the expression behind them.
_MAYBE_IPV4 = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.]*\d|\.\w)")
_MAYBE_IPV6 = re.compile(r":(?<=[23][0-9a-fA-F]{3}:)[0-9a-fA-F:]{4}")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{4,34}(?![\w:.])")
_CREDENTIALS = re.compile(r"://([^\s:/?#\[\]@\"'{}<>$%()]+:[^\s:/?#\[\]@\"'{}<>$%()]+)@")
_QUOTED = re.compile(r"([\"'])([A-Za-z0-9+/_=.-]{20,200})\1")
_NAMED = re.compile(
    r"(?:key|token|secret|passw(?:or)?d|pwd)\w{0,12}[\"']?\]?[ \t]*[:=][ \t]*[bru]?$",
    re.IGNORECASE,
)
_WORDY = re.compile(r"[a-z]{5,}|[A-Z]{5,}|[_.-]{1}[A-Za-z]{3,}")
_ENTROPY = 3.5
"""Bits a character; English and identifiers lie below 3.3 at this length, random base64 above 4."""

_KNOWN_HOSTS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})
"""Name servers that everybody uses: no secret, and idiomatic."""


class Redact:
    """The step that replaces; it drops nothing."""

    name = "redact"

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields every document, changed where it has to be."""
        for document in documents:
            text = redact(document.text, drops.changed)
            if text is document.text:
                yield document
            else:
                yield Document(
                    text=text,
                    path=document.path,
                    licence=document.licence,
                    origin=document.origin,
                    language=document.language,
                )


def redact(text: str, changed: Callable[[str], None]) -> str:
    """Returns `text` with neutral values; the same object where there is nothing to replace."""
    if "@" in text:
        text = _replace(_CREDENTIALS, text, _credentials, "url-credentials", changed)
        text = _emails(text, changed)
    if _MAYBE_IPV4.search(text):
        text = _replace(_IPV4, text, _ipv4, "ip-address", changed)
    if _MAYBE_IPV6.search(text):
        text = _replace(_IPV6, text, _ipv6, "ip-address", changed)
    return _replace(_QUOTED, text, _key, "key", changed)


def _replace(
    pattern: re.Pattern[str],
    text: str,
    value: Callable[[re.Match[str]], str | None],
    what: str,
    changed: Callable[[str], None],
) -> str:
    """Replaces each match by what `value` makes of it, where that is not None."""
    parts, done = [], 0
    for match in pattern.finditer(text):
        new = value(match)
        if new is not None and new != match[0]:
            parts += [text[done : match.start()], new]
            done = match.end()
            changed(what)
    return "".join([*parts, text[done:]]) if parts else text


def _emails(text: str, changed: Callable[[str], None]) -> str:
    """Replaces addresses. Searching from the @ keeps this linear: words before it are short."""
    parts, done = [], 0
    for match in _DOMAIN.finditer(text):
        domain = match[1]
        if domain.rpartition(".")[2].lower() not in _TOP_LEVEL or _RESERVED.search(domain):
            continue
        local = _LOCAL.search(text, max(done, match.start() - 64), match.start())
        if local is None or _LOGIN.search(text, max(done, local.start() - 80), local.start()):
            continue
        start = local.start()
        before = text[start - 1 : start]
        if before in ("%", "$", "}", "{") and before:
            continue  # a template: nobody's address
        if before == "\\":
            escape = _ESCAPE.match(text, start)
            start = escape.end() if escape else start
        parts += [text[done:start], EMAIL]
        done = match.end()
        changed("e-mail")
    return "".join([*parts, text[done:]]) if parts else text


def _credentials(match: re.Match[str]) -> str | None:
    return f"://{PASSWORD}@"


def _ipv4(match: re.Match[str]) -> str | None:
    octets = match[0].split(".")
    if max(map(int, octets)) > 255 or any(len(o) > 1 and o[0] == "0" for o in octets):
        return None
    # Three single digits are a version far more often than an address.
    if sum(len(octet) == 1 for octet in octets) >= 3 or match[0] in _KNOWN_HOSTS:
        return None
    address = ipaddress.IPv4Address(match[0])
    return IPV4 if address.is_global and not address.is_multicast else None


def _ipv6(match: re.Match[str]) -> str | None:
    try:
        address = ipaddress.IPv6Address(match[0])
    except ValueError:
        return None
    return IPV6 if address.is_global else None


def _key(match: re.Match[str]) -> str | None:
    value, quote = match[2], match[1]
    if not (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)):
        return None
    if _WORDY.search(value) or entropy(value) < _ENTROPY:
        return None
    before = max(0, match.start() - 40)
    return f"{quote}{KEY}{quote}" if _NAMED.search(match.string, before, match.start()) else None


def entropy(text: str) -> float:
    """Returns the Shannon entropy of the letters of `text`, in bits a letter."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())
