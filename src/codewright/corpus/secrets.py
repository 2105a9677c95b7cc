"""The step that drops files with secrets in them, as detect-secrets finds them.

Its plugins look at one line at a time and are slow, so a line meets them only where `MAYBE`
matches in it: expressions that match wherever one of the chosen plugins could find something.
No plugin asks a server whether a secret is alive.

Chosen are the plugins that know the form of a secret. Left out are those that guess: high entropy
(every hash and every test vector), keywords and the vendors' variants of them (each
`password = "…"` of an example), two short prefixes of Artifactory. What they would have found,
credentials in addresses and random values under the name of a key, is replaced by `redact`;
so are public addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from codewright.corpus.steps import Drops
from codewright.errors import MissingExtra
from codewright.types.document import Document

try:
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.base import BasePlugin
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.private_key import PrivateKeyDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector
except ModuleNotFoundError as error:
    raise MissingExtra("detect-secrets", "train") from error

PLUGINS = (
    PrivateKeyDetector,
    AWSKeyDetector,
    AzureStorageKeyDetector,
    DiscordBotTokenDetector,
    GitHubTokenDetector,
    GitLabTokenDetector,
    JwtTokenDetector,
    MailchimpDetector,
    NpmDetector,
    OpenAIDetector,
    PypiTokenDetector,
    SendGridDetector,
    SlackDetector,
    SquareOAuthDetector,
    StripeDetector,
    TelegramBotTokenDetector,
    TwilioKeyDetector,
)

MAYBE = tuple(
    re.compile(pattern)
    for pattern in (
        r"PRIVATE KEY",
        r"PuTTY-User-Key-File",
        r"A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])[0-9A-Z]{16}",
        r"[\"'][0-9A-Za-z/+\u017f\u212a]{40}[\"']",
        r"AccountKey=",
        r"\.[a-zA-Z\d_-]{6}\.[a-zA-Z\d_-]{27}",
        r"gh[pousr]_[A-Za-z0-9_]{36}",
        r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-",
        r"GR1348941",
        r"eyJ[A-Za-z0-9-_=]+\.",
        r"-us[0-9]",
        r":_authToken=",
        r"T3BlbkFJ",
        r"pypi-AgE",
        r"SG\.[a-zA-Z0-9_-]{22}\.",
        r"-(?<=[xX][oO][xX][abposrABPOSR\u017f]-)",
        r"\.(?<=[hH][oO][oO][kK\u212a][sS\u017f]\.)[sS\u017f][lL]",
        r"sq0csp-",
        r"k_live_",
        r":(?<=\d{8}:)[0-9A-Za-z_-]{35}",
        r"AC[a-z0-9]{32}",
        r"SK[a-z0-9]{32}",
    )
)
"""One of these matches in every line in which one of `PLUGINS` could find something, and in few
others. Many small ones, because a search that begins with a certain letter is a hundred times
faster than one that tries alternatives everywhere. \u017f and \u212a are an s and a k where case
does not count."""


class Secrets:
    """The step that drops files with secrets."""

    name = "secrets"

    def __init__(self) -> None:
        self._plugins: Sequence[BasePlugin] = [plugin() for plugin in PLUGINS]

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields documents in which no secret was found."""
        for document in documents:
            found = self.find(document.text)
            if found is None:
                yield document
            else:
                drops.drop(document, *found)

    def find(self, text: str) -> tuple[str, str] | None:
        """Returns the kind of the first secret in `text`, and its line; never the secret."""
        starts = {
            text.rfind("\n", 0, match.start()) + 1
            for pattern in MAYBE
            for match in pattern.finditer(text)
        }
        for start in sorted(starts):
            kind = self.in_line(text[start:].partition("\n")[0])
            if kind:
                return kind, f"line {text.count(chr(10), 0, start) + 1}"
        return None

    def in_line(self, line: str) -> str:
        """Returns the kind of secret that a plugin finds in `line`, or ""."""
        for plugin in self._plugins:
            if any(True for _ in plugin.analyze_string(line)):
                return plugin.secret_type.lower().replace(" ", "-")
        return ""
