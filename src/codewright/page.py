"""The parts of an HTML page that holds all it shows: no script, no font, no address.

What a page tells was often written by programs that nobody trusts: `document` forbids scripts and
requests to the page, and whoever builds parts passes every foreign word through `words`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

from codewright.console import printable

STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--sheet:#fff;--ink:#1c2024;--soft:#626a73;
--line:#e4e2dd;--accent:#0b7a75;--band:#0b7a7526}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--sheet:#1b1f23;--ink:#e8e6e1;--soft:#98a0a8;
--line:#2e3439;--accent:#4cc2b4;--band:#4cc2b430}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,
-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1080px;margin:0 auto;padding:56px 28px 72px}
header{margin-bottom:36px}
header p{margin:0;color:var(--soft);overflow-wrap:anywhere}
.kicker{font-size:13px;letter-spacing:.08em;text-transform:uppercase}
h1{margin:6px 0 4px;font-size:44px;line-height:1.1;letter-spacing:-.02em;font-weight:650}
h2{margin:0 0 16px;font-size:19px;font-weight:620;letter-spacing:-.01em}
section,details{margin:0 0 28px;padding:24px 26px;background:var(--sheet);
border:1px solid var(--line);border-radius:12px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(172px,1fr));padding:0;gap:1px;
background:var(--line);overflow:hidden}
.card{background:var(--sheet);padding:18px 22px}
.card span,.card small{display:block;color:var(--soft);font-size:13px}
.card strong{display:block;font-size:30px;white-space:nowrap;line-height:1.25;
font-weight:640;letter-spacing:-.02em}
.note{margin:-14px 0 28px;color:var(--soft)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 28px}
@media(max-width:800px){.two{grid-template-columns:1fr}h1{font-size:34px}}
figure{margin:0}
figcaption{margin-top:14px;color:var(--soft);font-size:14px}
svg{display:block;width:100%;height:auto;overflow:visible}
.tick{font-size:12px;fill:var(--soft)}.label{font-size:13px;fill:var(--ink)}
.value{font-size:13px;font-weight:620;fill:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;margin:16px 0 0;padding:0;list-style:none;
font-size:14px;color:var(--soft)}
.legend b{color:var(--ink);font-weight:600}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px}
.scroll{overflow-x:auto}
summary{cursor:pointer;font-size:19px;font-weight:620}
table{width:100%;margin-top:14px;border-collapse:collapse;font-size:14px}
th{text-align:left;color:var(--soft);font-weight:500}
td,th{padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top;
white-space:nowrap}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}
.none{color:var(--soft)}
footer{color:var(--soft);font-size:13px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}
dd{margin:0;color:var(--ink);overflow-wrap:anywhere}
@media print{body{background:#fff}section,details{break-inside:avoid}}
"""
"""What every page looks like, light and dark; a page adds its own rules behind it."""


def words(text: str) -> str:
    """Returns `text` so that a page shows it as it is, and nothing in it acts."""
    return html.escape(printable(text))


def document(title: str, body: str, *, style: str = "") -> str:
    """Returns a whole page.

    Args:
        title: plain text.
        body: HTML, its foreign words escaped.
        style: CSS of this page's own.
    """
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{words(title)} – Codewright</title><style>{STYLE}{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def header(kicker: str, title: str, below: str = "") -> str:
    """Returns the head of a page: all three are plain text."""
    return (
        f'<header><p class="kicker">{words(kicker)}</p><h1>{words(title)}</h1>'
        f"<p>{words(below)}</p></header>"
    )


def card(label: str, value: str, below: str = "") -> str:
    """Returns one figure among `cards`: all three are plain text."""
    return (
        f'<div class="card"><span>{words(label)}</span><strong>{words(value)}</strong>'
        f"<small>{words(below) or '&nbsp;'}</small></div>"
    )


def section(title: str, body: str, caption: str = "") -> str:
    """Returns a box with a heading; `body` is HTML, heading and caption are plain text."""
    below = f"<figcaption>{words(caption)}</figcaption>" if caption else ""
    return f"<section><h2>{words(title)}</h2><figure>{body}{below}</figure></section>"


def facts(named: Mapping[str, str]) -> str:
    """Returns the foot of a page: names and values in plain text."""
    rows = "".join(
        f"<dt>{words(name)}</dt><dd>{words(value)}</dd>" for name, value in named.items()
    )
    return f"<footer><dl>{rows}</dl></footer>"
