"""Secrets: the quick look misses nothing that the plugins would find; redaction keeps programs.

Secrets are put together here from parts, so that no scanner takes this file for one.
"""

from __future__ import annotations

import ast
import time

import pytest
from detect_secrets.plugins.base import RegexBasedDetector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codewright.corpus.redact import EMAIL, IPV4, IPV6, KEY, Redact, entropy, redact
from codewright.corpus.secrets import MAYBE, PLUGINS, Secrets
from tests.corpus.planting import document, kept, program

PATTERNS = [
    (plugin, pattern)
    for plugin in PLUGINS
    for pattern in plugin().denylist
]  # fmt: skip
assert all(issubclass(plugin, RegexBasedDetector) for plugin in PLUGINS)


@pytest.mark.parametrize(
    ("plugin", "pattern"), PATTERNS, ids=[f"{p.__name__}-{i}" for i, (p, _) in enumerate(PATTERNS)]
)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_quick_look_misses_nothing_that_a_plugin_finds(plugin, pattern, data):
    line = data.draw(st.from_regex(pattern)).replace("\n", " ").replace("\r", " ")
    text = f"before = 1\n{line}\nafter = 2\n"
    slow = any(
        any(True for _ in each().analyze_string(one))
        for one in text.split("\n")
        for each in PLUGINS
    )
    fast = Secrets().find(text)
    assert (fast is not None) == slow
    # Some plugins check more than their expression; where it matches, the quick look must too.
    if pattern.search(line):
        assert any(maybe.search(line) for maybe in MAYBE)


def secret_files() -> dict[str, str]:
    letters = "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2Yz3"
    lower = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
    jwt = ".".join(
        ("ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0", letters)
    )
    return {
        "private-key": "-----BEGIN RSA " + "PRIVATE KEY-----",
        "aws-access-key": "AK" + "IA" + "QWERTYUIOPASDFGH",
        "github-token": "gh" + "p_" + letters[:36],
        "gitlab-token": "gl" + "pat-" + letters[:20],
        "slack-token": "xo" + "xb-123456789012-123456789012-" + letters[:24],
        "stripe-access-key": "sk_" + "live_" + letters[:24],
        "twilio-api-key": "S" + "K" + lower,
        "json-web-token": jwt,
        "mailchimp-access-key": lower + "-" + "us12",
        "npm-tokens": "//registry.npmjs.org/:_auth" + "Token=npm_" + letters,
        "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + letters * 3,
        "openai-token": "sk-" + letters[:20] + "T3Blbk" + "FJ" + letters[:20],
        "azure-storage-account-access-key": "Account" + "Key=" + (letters * 3)[:88],
        "square-oauth-secret": "sq0" + "csp-" + (letters * 2)[:43],
        "sendgrid-api-key": "S" + "G." + letters[:22] + "." + (letters * 2)[:43],
        "telegram-bot-token": "1234567890:" + "AA" + letters[:33],
        "discord-bot-token": "M" + letters[:23] + "." + letters[:6] + "." + letters[:27],
    }


def test_each_kind_of_secret_drops_its_file():
    files = secret_files()
    step = Secrets()
    assert len(files) == len(PLUGINS)
    for kind, secret in files.items():
        text = program(3) + f'\n\nVALUE = "{secret}"\n'
        found = step.find(text)
        assert found is not None, kind
        assert found[0] == kind
        assert found[1] == f"line {text.count(chr(10))}"
        left, books = kept(step, document(text), document(program(4)))
        assert [d.text for d in left] == [program(4)]
        assert secret not in books.told[0].detail


def test_ordinary_programs_have_none():
    step = Secrets()
    files = [program(n) for n in range(30)]
    files += [
        "x = 'PRIVATE'\n",
        "AKIA = 1\n",
        "a.b.c.d = e\n",
        "sha = '" + "0123456789" * 4 + "'\n",
    ]
    assert len(kept(step, *map(document, files))[0]) == len(files)


def test_a_hostile_file_does_not_hold_the_step_up():
    step = Secrets()
    for text in ("eyJ" + "a." * 200_000, "'" * 300_000, "-us1" * 99_999, "A" * 400_000,
                 "1" * 300_000 + ":", "://" + "a:" * 150_000 + "@", "a@" * 150_000,
                 "1." * 150_000, "2001:" * 80_000, "key='" + "a" * 300_000):  # fmt: skip
        began = time.process_time()
        step.find(text)
        redact(text, lambda what: None)
        assert time.process_time() - began < 5, text[:9]


def changed(text: str) -> tuple[str, list[str]]:
    told: list[str] = []
    return redact(text, told.append), told


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("# By Jane Doe <jane.doe+x@mail.corp.com>\n", f"# By Jane Doe <{EMAIL}>\n", ["e-mail"]),
        ("a = 'x@y.org, z_1@w.co.uk'\n", f"a = '{EMAIL}, {EMAIL}'\n", ["e-mail"] * 2),
        ("u = 'https://bob:hunter2@corp.io/x'\n", "u = 'https://user:password@corp.io/x'\n",
         ["url-credentials"]),
        ("h = '52.95.110.1'\n", f"h = '{IPV4}'\n", ["ip-address"]),
        ("h = 'http://93.184.216.34:80/'\n", f"h = 'http://{IPV4}:80/'\n", ["ip-address"]),
        ("h = '2600:1f18:24e6:b900::1'\n", f"h = '{IPV6}'\n", ["ip-address"]),
        ("API_KEY = 'q8Zk3vT0xW9pLr2mYb7Nc4'\n", f"API_KEY = '{KEY}'\n", ["key"]),
        ('{"secret_token": "q8Zk3vT0xW9pLr2mYb7Nc4"}\n', f'{{"secret_token": "{KEY}"}}\n', ["key"]),
        ("f(password=b'q8Zk3vT0xW9pLr2mYb7Nc4')\n", f"f(password=b'{KEY}')\n", ["key"]),
    ],
)  # fmt: skip
def test_what_points_to_somebody_is_replaced(before, after, what):
    assert changed(before) == (after, what)
    assert changed(after) == (after, [])
    ast.parse(after)


@pytest.mark.parametrize(
    "text",
    [
        "x = a@b.T\n",
        "y = x @ w.to(device)\n",
        "y = q@k.dot(v)\n",
        "z = m@n.data[0]\n",
        "@decorator.name\ndef f(): pass\n",
        "# user@example.com, me@localhost, a@b.example, x@test.example.org\n",
        "version = '1.2.3.4'\n",
        "v = '10.0.0.1', '192.168.1.20', '127.0.0.1', '0.0.0.0', '255.255.255.255'\n",
        "dns = '8.8.8.8'\nnet = '192.0.2.55', '203.0.113.9'\n",
        "oid = '1.3.6.1.4.1.311.20'\nn = '300.400.500.600'\nz = '012.034.056.078'\n",
        "ip = '2001:db8::8a2e:370:7334', 'fe80::1', '::1'\n",
        "x = a[2001:b]\nt = '12:34:56'\n",
        "key = 'some_long_identifier_with_words'\n",
        "token = 'https://example.com/path/to/it'\n",
        "key = 'aaaaaaaaaaaaaaaaaaaaaaaa1'\n",
        "digest = 'q8Zk3vT0xW9pLr2mYb7Nc4'\n",
        "url = f'https://{user}:{password}@{host}'\n",
        "u = 'https://%s:%s@host'\n",
        "a = '%s@corp.com', f'{name}@corp.com', '$x@corp.com'\n",
    ],
)
def test_what_points_to_nobody_stays(text):
    assert changed(text) == (text, [])


@given(st.lists(st.sampled_from([
    "a@b.com", "x@y.z", "52.95.110.1", "1.2.3.4", "://u:p@h", " ", "\n", ".", "@", "é",
    "2600:1f18:1:2::3", "key='q8Zk3vT0xW9pLr2mYb7Nc4'", "'", ":", "9",
]), max_size=12))  # fmt: skip
def test_redaction_is_done_after_one_pass_and_says_when_nothing_changed(parts):
    text = "".join(parts)
    once, told = changed(text)
    assert (once is text) == (not told)
    again, more = changed(once)
    assert again == once or told
    assert len(more) <= len(told)
    assert once.count("\n") == text.count("\n")


@given(st.lists(st.sampled_from([
    "\\u20ac", "\\n", "\\x41", "\\101", "\\\\", "joe@corp.com", "a", "52.95.110.1", ":", "//", " ",
    "7", "u:p@h.io/", "2600:1f18:1:2::3", "{x}", "%s",
]), max_size=8), st.sampled_from(["", "r", "b", "f"]))  # fmt: skip
def test_a_program_parses_after_redaction_where_it_did_before(parts, prefix):
    text = f"key_token = {prefix}'{''.join(parts)}'\n"
    try:
        ast.parse(text)
    except SyntaxError:
        return
    ast.parse(changed(text)[0])


def test_the_step_counts_its_changes_and_drops_nothing():
    files = [document(program(1)), document("# a@b.com c@d.org 52.95.110.1\n")]
    left, books = kept(Redact(), *files)
    assert left[0] is files[0]
    assert left[1].text == f"# {EMAIL} {EMAIL} {IPV4}\n"
    assert books.drops.changes == {"e-mail": 2, "ip-address": 1}
    assert not books.told


def test_entropy_is_that_of_the_letters():
    assert entropy("aaaa") == 0
    assert entropy("abab") == 1
    assert entropy("abcdefgh") == 3
