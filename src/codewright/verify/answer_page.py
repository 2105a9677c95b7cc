"""An answer as one HTML page: state, question, classes with their code, and what separates them.

The page holds all that it shows and runs nothing. Programs, values and findings are text that
nobody trusts; every word of them is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from codewright.page import card, document, facts, section, words
from codewright.svg import number, picture, tag, text
from codewright.types.behaviour import Answer, BehaviourClass, Outcome, Question
from codewright.verify import code_page
from codewright.verify.contrast import contrast
from codewright.verify.report import STATES, Report, many, note, shortened
from codewright.verify.show import call_text, class_name, outcome_text, same_call

CLASSES = 12
"""Classes whose code is shown."""
COLUMNS = 6
"""Classes across the table of inputs."""
ROWS = 14
HUES = 8

STYLE = """
:root{--h0:#0b8f80;--h1:#c2731c;--h2:#5a63c9;--h3:#b8436a;--h4:#6c8a1f;--h5:#8a5a3c;--h6:#3a86b8;
--h7:#8f8f8f;--confident:#0b8f80;--uncertain:#c2891c;--abstain:#b8433a}
@media(prefers-color-scheme:dark){:root{--h0:#3cc4b2;--h1:#e39a4a;--h2:#8d95f0;--h3:#e2779b;
--h4:#a6c654;--h5:#c39473;--h6:#6cb6e4;--h7:#a8a8a8;--confident:#3cc4b2;--uncertain:#e3b04a;
--abstain:#e2776c}}
.top{display:grid;grid-template-columns:minmax(0,1fr) 236px;gap:12px 40px;align-items:center;
margin-bottom:32px}
.top h1{overflow-wrap:anywhere}
.state{display:inline-block;margin:6px 0 0;font-size:21px;font-weight:640;letter-spacing:-.01em}
.is-confident{color:var(--confident)}.is-uncertain{color:var(--uncertain)}
.is-abstain{color:var(--abstain)}
.wanted{margin:14px 0 0;padding:0 0 0 14px;border-left:3px solid var(--line);color:var(--soft);
white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.55 inherit;font-family:inherit;
max-height:15em;overflow-y:auto}
.rail{fill:none;stroke:var(--line);stroke-width:13;stroke-linecap:round}
.arc{fill:none;stroke-width:13;stroke-linecap:round}
.a-confident{stroke:var(--confident)}.a-uncertain{stroke:var(--uncertain)}
.a-abstain{stroke:var(--abstain)}
.big{font-size:40px;font-weight:640;fill:var(--ink);letter-spacing:-.02em}
.ask{border-color:var(--uncertain);box-shadow:0 0 0 1px var(--uncertain)}
.ask pre{margin:0 0 16px;font:15px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
white-space:pre-wrap;overflow-wrap:anywhere}
.choices{display:grid;grid-template-columns:repeat(auto-fit,minmax(230px,1fr));gap:14px}
.choice{padding:14px 16px;border-radius:9px;border:1px solid var(--line);background:var(--paper)}
.choice code{font-size:14px;color:var(--ink);overflow-wrap:anywhere}
.choice small{display:block;margin-top:6px;color:var(--soft)}
.chip{display:inline-block;min-width:1.75em;padding:0 .4em;margin-right:10px;border-radius:6px;
text-align:center;font-size:14px;font-weight:650;line-height:1.75;color:var(--sheet)}
.stack{display:flex;height:20px;gap:2px;margin:0 0 20px;border-radius:6px;overflow:hidden}
.stack i{display:block;min-width:2px}
details.class{margin:0;padding:13px 0;border:0;border-top:1px solid var(--line);border-radius:0;
background:none}
details.class summary{display:flex;flex-wrap:wrap;align-items:center;gap:4px 0;font-size:15px;
font-weight:400}
details.class summary::marker{content:""}
details.class summary b{font-weight:640;min-width:3.4em}
details.class summary em{font-style:normal;color:var(--soft)}
.won{margin-left:12px;padding:0 9px;border-radius:99px;font-size:13px;border:1px solid
var(--accent);color:var(--accent)}
.more{margin-left:auto;padding-left:14px;color:var(--soft);font-size:13px}
.more::after{content:"show code"}details[open]>summary .more::after{content:"hide code"}
.class .code{margin-top:12px}
.class p{margin:10px 0 0;font-size:14px;color:var(--soft)}
.grid{margin:0;border-collapse:separate;border-spacing:3px}
.grid th,.grid td{border:0;padding:5px 11px;border-radius:6px;max-width:22em;overflow:hidden;
text-overflow:ellipsis}
.grid th:first-child{position:sticky;left:0;background:var(--sheet);border-radius:0;z-index:1;
max-width:20em}
.grid td code,.grid th code{color:var(--ink)}
.o0{background:#0b8f8026}.o1{background:#c2731c30}.o2{background:#5a63c930}.o3{background:#b8436a2e}
.o4{background:#6c8a1f30}.o5{background:#8a5a3c30}
.asked{font-size:12px;color:var(--uncertain);margin-left:8px}
.found{margin:0;padding-left:1.2em}.found li{margin:3px 0;overflow-wrap:anywhere}
@media(max-width:720px){main{padding:32px 14px 48px}section{padding:18px 16px}
.top{grid-template-columns:minmax(0,1fr)}.gauge{max-width:220px}
.grid th:first-child{max-width:46vw}dl{grid-template-columns:minmax(0,1fr)}dt{margin-top:6px}}
"""


def page(report: Report) -> str:
    """Returns the whole page."""
    answer = report.answer
    hues = "".join(
        f".f{i}{{background:var(--h{i})}}.b{i}{{border-left:4px solid var(--h{i})}}"
        for i in range(HUES)
    )
    return document(
        answer.entry_point or "Answer",
        f"{_top(report)}{_cards(answer)}{_question(answer)}{_classes(report)}{_table(answer)}"
        f"{_findings(answer)}{facts(report.facts)}",
        style=STYLE + hues + code_page.STYLE,
    )


def _top(report: Report) -> str:
    answer = report.answer
    wanted = report.specification.strip()
    told = f'<p class="wanted">{words(wanted[:5000])}</p>' if wanted else ""
    said = STATES[answer.state] if answer.chosen is not None else "no candidate can be offered"
    return (
        '<div class="top"><header style="margin:0"><p class="kicker">Codewright answer</p>'
        f"<h1>{words(answer.entry_point or 'Answer')}</h1>"
        f'<p class="state is-{answer.state}">{words(said.capitalize())}</p>{told}</header>'
        f'<div class="gauge">{gauge(answer)}</div></div>'
    )


def gauge(answer: Answer) -> str:
    """Draws the confidence as the filled part of half a circle."""
    share = min(max(answer.confidence, 0.0), 1.0) if answer.chosen is not None else 0.0
    parts = [tag("path", d=_arc(1.0), class_="rail")]
    if share > 0:
        parts.append(tag("path", d=_arc(share), class_=f"arc a-{answer.state}"))
    parts.append(text(110, 106, f"{share:.0%}", anchor="middle", kind="big"))
    parts.append(text(110, 128, "chance to be right", anchor="middle"))
    return picture(220, 134, f"confidence {share:.0%}", *parts)


def _arc(share: float) -> str:
    """The path of the first part of a half circle, from the left over the top."""
    angle = math.pi * (1 - share)
    x, y = 110 + 96 * math.cos(angle), 112 - 96 * math.sin(angle)
    return f"M14 112 A96 96 0 0 1 {number(x)} {number(y)}"


def _cards(answer: Answer) -> str:
    below = f"{answer.text_entropy:.2f} bits of the texts"
    if answer.probability_entropy is not None:
        below = f"{answer.probability_entropy:.2f} by probability, {below}"
    cards = [
        card("candidates", f"{answer.candidates:,}", f"chosen by: {answer.method}"),
        card("classes of behaviour", f"{len(answer.classes):,}", "same on every input"),
        card("inputs", f"{len(answer.calls):,}", f"{many(answer.examples, 'example')} given"),
        card("semantic entropy", f"{answer.entropy:.2f} bits", below),
    ]
    return f'<section class="cards">{"".join(cards)}</section>'


def _question(answer: Answer) -> str:
    question = answer.question
    if question is None:
        return ""
    choices = "".join(
        f'<div class="choice {_border(place)}">{_chip(place)}<code>{words(_said(outcome))}</code>'
        f"<small>{_share(answer, place)}</small></div>"
        for place, outcome in zip(question.classes, question.choices, strict=True)
    )
    return (
        '<section class="ask"><h2>One question would settle it: what should this do?</h2>'
        f"<pre>{words(call_text(question.call, answer.entry_point, 600))}</pre>"
        f'<div class="choices">{choices}</div></section>'
    )


def _said(outcome: Outcome) -> str:
    return ("return " if outcome.kind == "value" else "") + outcome_text(outcome, 300)


def _share(answer: Answer, place: int) -> str:
    if place >= len(answer.classes):
        return ""
    each = answer.classes[place]
    return f"{many(len(each.members), 'candidate')}, {each.mass:.0%}"


def _hue(place: int) -> int:
    return min(place, HUES - 1)


def _chip(place: int) -> str:
    return f'<span class="chip f{_hue(place)}">{class_name(place)}</span>'


def _border(place: int) -> str:
    return f"b{_hue(place)}"


def _classes(report: Report) -> str:
    answer = report.answer
    if not answer.classes:
        return ""
    stack = "".join(
        f'<i class="f{_hue(place)}" style="flex:{max(each.mass, 0.0):.4f}" '
        f'title="{class_name(place)} {each.mass:.0%}"></i>'
        for place, each in enumerate(answer.classes[:60])
    )
    shown = answer.classes[:CLASSES]
    rows = "".join(_class(report, place, each) for place, each in enumerate(shown))
    rest = answer.classes[CLASSES:]
    if rest:
        size = many(sum(len(each.members) for each in rest), "candidate")
        rows += (
            f'<p class="none">And {many(len(rest), "more class", "more classes")} with {size}.</p>'
        )
    return section(
        "What the candidates do",
        f'<div class="stack">{stack}</div>{rows}',
        "Candidates of one class did the same on every input. The code is that of one of them; "
        "lines with + are its own, lines with - those of the chosen program.",
    )


def _class(report: Report, place: int, each: BehaviourClass) -> str:
    answer = report.answer
    chosen = answer.chosen is not None and answer.chosen in each.members
    program = answer.program if chosen else report.candidates[each.representative].program
    shown = (
        code_page.code(program)
        if chosen or not answer.program
        else code_page.difference(program, answer.program)
    )
    said = note(answer, each).removeprefix("chosen").removeprefix(", ")
    size = many(len(each.members), "candidate") + (f", {said}" if said else "")
    # Where there is a question, both readings of it are worth a look.
    opened = chosen or (answer.question is not None and place in answer.question.classes)
    won = '<span class="won">chosen</span>' if chosen else ""
    return (
        f'<details class="class"{" open" if opened else ""}><summary>{_chip(place)}'
        f'<b>{each.mass:.0%}</b><em>{words(size)}</em>{won}<span class="more"></span></summary>'
        f"{shown}</details>"
    )


def _table(answer: Answer) -> str:
    made = contrast(answer, classes=COLUMNS, rows=ROWS)
    if not made.rows:
        return ""
    shown = answer.classes[: made.classes]
    head = "".join(f"<th>{_chip(place)}{each.mass:.0%}</th>" for place, each in enumerate(shown))
    rows = "".join(
        _row(answer, call, marks, [each.outcomes[call] for each in shown])
        for call, marks in zip(made.rows, made.marks, strict=True)
    )
    return section(
        "Inputs that separate them",
        f'<div class="scroll" tabindex="0"><table class="grid"><thead><tr><th></th>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>",
        "One input a line, one class a column; in a line, equal colours are equal outcomes.",
    )


def _row(answer: Answer, call: int, marks: Sequence[int], outcomes: Sequence[Outcome]) -> str:
    question: Question | None = answer.question
    asked = question is not None and same_call(answer.calls[call], question.call)
    cells = "".join(
        f'<td class="o{mark % 6}" title="{words(outcome_text(outcome, 400))}">'
        f"<code>{words(shortened(outcome_text(outcome, 34), 34))}</code></td>"
        for mark, outcome in zip(marks, outcomes, strict=True)
    )
    full = call_text(answer.calls[call], answer.entry_point, 400)
    return (
        f'<tr><th title="{words(full)}"><code>{words(call_text(answer.calls[call], "", 60))}</code>'
        f"{'<span class=asked>the question</span>' if asked else ''}</th>{cells}</tr>"
    )


def _findings(answer: Answer) -> str:
    if not answer.findings:
        return ""
    items = "".join(f"<li>{words(finding)}</li>" for finding in answer.findings)
    return section("What was checked", f'<ul class="found">{items}</ul>')
