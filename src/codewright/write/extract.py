"""From what a model said to a whole program, by a rule that is recorded with the result.

    rule                  the program is
    as is                 the text
    whole                 the prompt and the text, nothing cut
    cut at MARK           the prompt and the text up to the stop sequence MARK
    kept past MARK        the prompt and the whole text: what follows MARK is needed before it
    text before fence     the prompt and the text up to a closing code fence
    block                 the code block that defines the entry point
    block body            the prompt and a code block that holds only the function's body
    function              the function found in an answer without code blocks
    first line indented   the prompt and the text, whose first line had lost its indentation
    ... + helpers         with the prompt's imports and helpers in front, which it had left out
    ... - demo            without the calls and asserts that followed the function

Which texts are completions and which are answers is up to the caller. Nothing is run.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from typing import Literal

from codewright.write.fences import Block, first_fence, split_blocks
from codewright.write.source import bound, helpers, parse, used

Form = Literal["continuation", "completion", "answer", "reasoning", "solution"]
"""continuation: follows the prompt, always cut. completion: follows the prompt, cut unless what
would be cut is needed, or an answer in disguise. answer: a chat's. reasoning: a chat's that comes
to its program at the end, so that of several blocks the last one counts. solution: a whole
program."""

STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
"""Where a function that the prompt opened has ended (Chen et al. 2021)."""

SCRIPT_STOPS = ("\nclass", "\nassert", '\n"""', "\nprint", "\nif", "\n<|/", "\n```")
"""Where a function has ended that the prompt only described in a docstring."""

DEMO = frozenset({"__name__", "print", "pprint", "input", "doctest", "unittest"})
"""Names that give away a demonstration at the end of an answer."""

_CODE = re.compile(r"(import|from|def|async|class)\b|@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a prompt leaves to be written.

    `open`: it ends inside the function, so that a body follows. `helpers`: its imports and
    definitions other than the entry point.
    """

    prompt: str
    entry_point: str
    open: bool
    helpers: str

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop sequences that a model should be asked with."""
        return STOPS if self.open else SCRIPT_STOPS


def frame(prompt: str, entry_point: str) -> Frame:
    """Returns the frame of a problem's prompt."""
    return Frame(
        prompt=prompt,
        entry_point=entry_point,
        open=parse(f"{prompt}\n    pass\n") is not None,
        helpers=helpers(prompt, entry_point),
    )


def program(frame: Frame, text: str, form: Form) -> tuple[str, str]:
    """Returns the whole program made of `text`, and the rule that made it."""
    if form == "solution":
        return text, "as is"
    if form == "continuation":
        return _cut(frame, text)
    if form in ("answer", "reasoning") or first_fence(text) is not None:
        return _from_answer(frame, text, last=form == "reasoning")
    if frame.open and not _indented(text) and _defines(frame, text):
        return _from_answer(frame, text)
    return _from_completion(frame, text)


def _cut(frame: Frame, text: str) -> tuple[str, str]:
    """The prompt and the text up to its first stop sequence."""
    end, mark = _first_stop(frame, text)
    if not mark:
        return frame.prompt + text, "whole"
    return frame.prompt + text[:end], f"cut at {mark.strip()}"


def _first_stop(frame: Frame, text: str) -> tuple[int, str]:
    """Returns where the first stop sequence is, and which; (length, "") where there is none.

    Where the prompt opened no function, what comes before the function's own `def` is not cut:
    a program may begin with a class.
    """
    start = 0
    if not frame.open and (found := _definition(frame).search(text)):
        start = found.start()
    places = [(text.find(mark, start), mark) for mark in frame.stops]
    return min(
        ((place, mark) for place, mark in places if place >= 0),
        default=(len(text), ""),
    )


def _from_completion(frame: Frame, text: str) -> tuple[str, str]:
    """A completion that its author may have finished already: a helper may follow the body."""
    made, rule = _cut(frame, text)
    if frame.open and text.strip() and not _indented(text) and parse(frame.prompt + text) is None:
        mended = "    " + text.lstrip()
        if parse(frame.prompt + mended) is not None:
            return _cut(frame, mended)[0], "first line indented"
    if not rule.startswith("cut"):
        return made, rule
    whole = parse(frame.prompt + text)
    if whole is not None and _needs_rest(frame, parse(made), whole):
        return frame.prompt + text, rule.replace("cut at", "kept past")
    return made, rule


def _needs_rest(frame: Frame, head: ast.Module | None, whole: ast.Module) -> bool:
    """Tells whether cutting `whole` down to `head` would break it.

    It would where the mark stands inside a statement (a comment at the margin of a function, a
    line of a text) or where the head uses what only the rest defines.
    """
    if head is None:
        return True
    count = len(head.body)
    if [ast.dump(node) for node in head.body[-1:]] != [
        ast.dump(node) for node in whole.body[count - 1 : count]
    ]:
        return True
    # Defining the entry point once more is a model that goes on talking, not a helper.
    late = bound(whole.body[count:]) - bound(head.body) - {frame.entry_point}
    return bool(late & used(head))


def _from_answer(frame: Frame, text: str, *, last: bool = False) -> tuple[str, str]:
    """A chat's answer: code blocks among prose, a bare function, or a body.

    Of blocks that are equally good, the first one counts, or the last.
    """
    fence = first_fence(text)
    if fence is None:
        return _from_prose(frame, text)
    head = text[:fence]
    if _continues(frame, head):
        return _cut(frame, head)[0], "text before fence"
    blocks = split_blocks(text)[:: -1 if last else 1]
    if preferred := _preferred(frame, blocks):
        return _whole(frame, preferred[0].code, "block")
    for block in blocks:
        if (made := _with_body(frame, block.code)) is not None:
            return made, "block body"
    longest = max((block.code for block in blocks), key=len, default="")
    return frame.prompt + longest, "block body"


def _preferred(frame: Frame, blocks: list[Block]) -> list[Block]:
    """Returns the blocks that define the entry point: those that parse, then those for Python."""
    defining = [block for block in blocks if _defines(frame, block.code)]
    return sorted(defining, key=lambda block: (parse(block.code) is None, not block.python))


def _from_prose(frame: Frame, text: str) -> tuple[str, str]:
    """An answer without code blocks: the longest run of lines that parses and has the function."""
    found = _definition(frame).search(text)
    if found is None or _indented(text):
        return _from_completion(frame, text)
    lines = text.splitlines(keepends=True)
    at = text.count("\n", 0, found.start())
    starts = [i for i in range(at + 1) if _CODE.match(lines[i])]
    for start in starts:
        for end in range(len(lines), at, -1):
            code = "".join(lines[start:end])
            if parse(code) is not None:
                return _whole(frame, code, "function")
    return _whole(frame, text[found.start() :], "function")


def _whole(frame: Frame, code: str, rule: str) -> tuple[str, str]:
    """A whole program: without the demonstration at its end, with the helpers that it needs."""
    tree = parse(code)
    if tree is None:
        return code, rule
    kept = _without_demo(frame, code, tree)
    if kept != code:
        code, rule = kept, f"{rule} - demo"
        tree = parse(code) or tree
    offered = parse(frame.helpers)
    needed = used(tree) - bound(tree.body)
    if offered and needed & bound(offered.body) and "from __future__" not in code:
        return f"{frame.helpers}\n\n{code}", f"{rule} + helpers"
    return code, rule


def _without_demo(frame: Frame, code: str, tree: ast.Module) -> str:
    """Returns `code` without the statements after the entry point that only show it off."""
    at = next((i for i, node in enumerate(tree.body) if frame.entry_point in bound([node])), None)
    if at is None:
        return code
    lines = code.splitlines(keepends=True)
    drop: set[int] = set()
    for node in tree.body[at + 1 :]:
        if _shows_off(frame, node):
            drop.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    return "".join(line for i, line in enumerate(lines) if i not in drop)


def _shows_off(frame: Frame, node: ast.stmt) -> bool:
    """Tells a call, assert, branch or loop that prints, asserts or calls the entry point."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Expr | ast.If | ast.For | ast.While | ast.With):
        return False
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    asserts = any(isinstance(child, ast.Assert) for child in ast.walk(node))
    return asserts or bool(names & (DEMO | {frame.entry_point}))


def _with_body(frame: Frame, code: str) -> str | None:
    """Returns the prompt with `code` as the function's body, however far it is indented."""
    if not frame.open or not code.strip():
        return None
    body = textwrap.indent(textwrap.dedent(code), "    ")
    made = frame.prompt + body
    return made if parse(made) is not None else None


def _continues(frame: Frame, head: str) -> bool:
    """Tells whether the text before the first fence is itself the code."""
    if not head.strip():
        return False
    if frame.open:
        return _indented(head) and parse(frame.prompt + head) is not None
    return _defines(frame, head) and parse(head) is not None


def _definition(frame: Frame) -> re.Pattern[str]:
    name = re.escape(frame.entry_point)
    return re.compile(rf"^(?:(?:async\s+)?def\s+{name}\b|class\s+{name}\b|{name}\s*=)", re.M)


def _defines(frame: Frame, code: str) -> bool:
    return bool(frame.entry_point) and _definition(frame).search(code) is not None


def _indented(text: str) -> bool:
    """Tells whether the first line that is not blank begins with white space."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first[:1] in (" ", "\t")
