"""The report as one HTML page that holds all it shows.

Evidence was written by programs that nobody trusts: every word of it is escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from codewright.evaluate import plots
from codewright.evaluate.records import Record
from codewright.evaluate.select_plots import risk_coverage
from codewright.evaluate.summary import ORDER, Result, counted, statuses, why
from codewright.page import card, document, facts, header, section, words
from codewright.svg import bars

_EXCEPTION = re.compile(r"\b([A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|Iteration|Group))\b")


def page(result: Result) -> str:
    """Returns the whole page."""
    samples = result.identity.samples.partition(" (")[0]
    return document(
        result.title,
        f"{header('Codewright evaluation', result.title, samples)}{_cards(result)}"
        f"{_curve(result)}{_choice(result)}{_map(result)}{_causes(result)}{_references(result)}"
        f"{_problems(result)}{_foot(result)}",
        style=plots.STYLE,
    )


def _cards(result: Result) -> str:
    cards = []
    for k, value in result.scores.values.items():
        low, high = result.scores.intervals[k]
        cards.append(
            card(f"pass@{k}", f"{value:.1%}", f"{100 * low:.1f} to {100 * high:.1f} (95 %)")
        )
    programs = sum(len(records) for _, records in result.scored())
    seconds = result.graded.candidate_stage.seconds
    rate = f"{programs / seconds:,.0f} a second" if seconds else ""
    cards.append(card("programs", f"{programs:,}", rate))
    references = result.graded.references
    if references:
        good = sum(record.verdict.status == "passed" for record in references.values())
        cards.append(card("references", f"{good}/{len(references)}", "pass their own tests"))
    notes = ""
    if left_out := result.scores.left_out:
        ks = ", ".join(f"pass@{k}" for k in left_out)
        notes += f'<p class="note">Left out: {ks}. Some problems have fewer samples.</p>'
    missing = len(result.problems) - len(result.scored())
    if missing:
        notes += (
            f'<p class="note">{missing} of {len(result.problems)} problems have no samples; '
            "the scores speak of the others.</p>"
        )
    return f'<section class="cards">{"".join(cards)}</section>{notes}'


def _curve(result: Result) -> str:
    if len(result.curve.values) < 2:
        return ""
    drawn = plots.curve(result.curve, [k for k in result.scores.values if k in result.curve.values])
    return section(
        "How often one of k samples is right",
        drawn,
        "The line is the unbiased estimate; the band holds 95 % of bootstrap resamples of the "
        "problems.",
    )


def _choice(result: Result) -> str:
    """The choice of one program a problem, where one was made."""
    if result.selection is None:
        return ""
    told = result.selection
    low, high = told["interval"]
    return section(
        f"Chosen by {told['method']}: {told['selected_pass_at_1']:.1%} of the problems right",
        risk_coverage(told["risk_coverage"]),
        f"{100 * low:.1f} to {100 * high:.1f} (95 %). At random {told['random_pass_at_1']:.1%} "
        f"would be right, by the best possible choice {told['oracle_pass_at_1']:.1%}. The line "
        "is the error among the surest answers; the dashed one stands at 5 %. Called confident: "
        f"{told['confident_coverage']:.0%}, of which {told['confident_error']:.1%} are wrong. "
        f"Calibration error {told['ece']:.3f}. Weights: {told['weights']}.",
    )


def _map(result: Result) -> str:
    rows = [(task, [record.verdict.status for record in each]) for task, each in result.scored()]
    if not rows:
        return ""
    present = statuses(result)
    legend = "".join(
        f'<li><i class="b-{status}"></i>{status} <b>{present[status]:,}</b></li>'
        for status in ORDER
        if status in present
    )
    return section(
        "Every sample of every problem",
        f'{plots.heat_map(rows)}<ul class="legend">{legend}</ul>',
        "One column a problem, the easiest on the left; one cell a sample. Point at a column for "
        "its name.",
    )


def _causes(result: Result) -> str:
    """What went wrong, and how long it took, side by side."""
    records = [record for _, each in result.scored() for record in each]
    if not records:
        return ""
    causes = Counter(cause(record) for record in records if record.verdict.status != "passed")
    left = '<p class="none">Every sample passes.</p>'
    if causes:
        rows = [(name, count, f"s-{status}") for (name, status), count in causes.most_common(9)]
        rest = causes.total() - sum(count for _, count, _ in rows)
        left = bars([*rows, ("others", rest, "s-other")] if rest else rows, len(records))
    passed = [r.verdict.cpu_seconds for r in records if r.verdict.status == "passed"]
    other = [r.verdict.cpu_seconds for r in records if r.verdict.status != "passed"]
    return (
        '<div class="two">'
        + section("Why programs fall", left, "Share of all samples.")
        + section(
            "How long they run",
            plots.times(passed, other),
            "Passed below, all others above. Programs that shared a process show its average.",
        )
        + "</div>"
    )


def cause(record: Record) -> tuple[str, str]:
    """Returns (what went wrong, status): the exception's name for an error, else the status."""
    status = record.verdict.status
    if status == "failed":
        return "wrong result", status
    if status == "error":
        evidence = record.verdict.evidence
        last = evidence.traceback.strip().rpartition("\n")[2]
        found = _EXCEPTION.search(last) or _EXCEPTION.search(evidence.message)
        return (found[1] if found else "error"), status
    return {"timeout": "too slow", "memory": "too much memory"}.get(status, status), status


def _references(result: Result) -> str:
    rows = [
        f"<tr><td>{words(task)}</td><td>{record.verdict.status}</td>"
        f"<td><code>{words(why(record.verdict))}</code></td></tr>"
        for task, record in result.graded.references.items()
        if record.verdict.status != "passed"
    ]
    if not rows:
        return ""
    return section(
        "References that fail",
        f'<div class="scroll"><table><tbody>{"".join(rows)}</tbody></table></div>',
        "A score on these problems says more about the problem than about the program.",
    )


def _problems(result: Result) -> str:
    rows = "".join(_problem(task, records) for task, records in result.scored())
    return (
        f"<details><summary>All {len(result.scored())} problems</summary>"
        '<div class="scroll"><table><thead><tr><th>problem</th><th>passed</th><th></th>'
        f"<th>most common failure</th></tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _problem(task: str, records: Sequence[Record]) -> str:
    n, c = counted(records)
    found = Counter(record.verdict.status for record in records)
    fallen = [record for record in records if record.verdict.status != "passed"]
    told = ""
    if fallen:
        common = Counter(cause(record) for record in fallen).most_common(1)[0][0]
        example = next(record for record in fallen if cause(record) == common)
        told = f"{common[0]}: {why(example.verdict)}"
    return (
        f"<tr><td>{words(task)}</td><td class='n'>{c} / {n}</td>"
        f"<td class='bar'>{plots.share_bar(found)}</td>"
        f"<td><code>{words(told)}</code></td></tr>"
    )


def _foot(result: Result) -> str:
    told = {
        **result.identity.facts(),
        "isolation": ", ".join(result.isolation) or "none",
        "judging": f"{result.graded.candidate_stage.seconds:.1f} s",
    }
    return facts(told)
