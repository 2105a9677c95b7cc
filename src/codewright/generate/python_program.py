"""A Python program as it grows: whether what is there can still become one.

    program = Program().feed("def f(x):\\n    retu")     None where nothing can follow
    program.complete()                                  whether it is one as it is

"One" is what `ast.parse` of the running interpreter reads. The characters are read here; whether
tokens may follow each other is asked of the interpreter's own parser: a parser that fails without
having wanted more than there is fails whatever follows, and one that ran out of tokens may go on
(`codeop` is built on the same). What it is shown is short: of every block the statement that is
open in it, with `pass` for what was in it before, as a statement that is complete decides nothing
about those after it; and every string as an empty one. So a look takes some 50 µs, however long the
program is, but longer the longer the statement.

What is accepted is a beginning of a program, as far as the parser knows: rules that it applies to
what is complete only (an argument without a name behind one with a name) are seen when they are
broken. What no program begins with is refused, but for the limits in `python_strings.py` and
mixtures of tabs and spaces that only a careful reader could tell apart.
"""

from __future__ import annotations

from keyword import kwlist, softkwlist

from codewright.generate.python_blocks import Dead, Level, ended, entered, shown
from codewright.generate.python_strings import Quoted
from codewright.generate.python_words import (
    AFTER_NUMBER,
    BLANK,
    KNOWN,
    NAME,
    NUMBER,
    OPERATORS,
    PARTNER,
    PREFIXES,
    WHOLE_NUMBER,
    WORD,
    begins,
    letters,
    parses,
)

LONG_NUMBER = 1000
"""Digits from which on a number may be too long for the parser."""


class Program:
    """What was read so far. Never changes: `feed` returns another."""

    def __init__(self, *, part: bool = False) -> None:
        """`part`: where the first line is indented, it is not the first of the program."""
        self._part = part
        self._levels: tuple[Level, ...] = ()
        self._line = ""
        """The logical line that is open, its tokens with spaces between them."""
        self._started = False
        """Whether it has a token; else its indentation is still being read."""
        self._column, self._narrow, self._fixed = 0, 0, 0
        self._brackets = ""
        self._floor = 0
        """Brackets that were open from the beginning."""
        self._quoted: Quoted | None = None
        self._strings = ""
        """What the last tokens are, where they are strings: a letter for text or bytes."""
        self._comment = False
        self._glued = False
        """Whether the last token is a number that the next character stands directly behind."""
        self._tail = ""
        """The beginning of a token that may go on, or a backslash."""
        self._continued = False
        """Whether nothing stands yet on a line that a backslash continues."""
        self._return = False
        self.lines = 1
        self._memo: dict[str, bool] = {}
        """What the parser said of this line with something behind it."""

    @classmethod
    def expression(cls) -> Program:
        """Returns an open bracket, behind which an expression is to stand."""
        made = cls()
        made._indented()
        made._line, made._brackets, made._floor, made._started = "(", "(", 1, True
        return made

    def feed(self, text: str) -> Program | None:
        """Returns the program with `text` behind it; None where no program begins so."""
        made = Program.__new__(Program)
        made.__dict__.update(self.__dict__)
        try:
            made._read(text)
            return made if made._viable() else None
        except Dead:
            return None

    def complete(self) -> bool:
        """Tells whether it is a program as it is."""
        tail = self._tail
        if self._quoted is not None or tail == "\\" or bool(self.brackets):
            return False
        if self._continued and not tail:
            return False
        if tail and tail[-1] in "'\"":
            if len(tail) < 2 or tail[-2] != tail[-1]:
                return False
            tail = "b''" if "b" in tail.lower() else "''"
        if self._floor:
            return parses(f"{self._line} {tail} )\n")
        return parses(f"{self._shown()}{f'{self._line} {tail}'.lstrip(' ')}\n")

    def ends(self) -> bool:
        """Tells whether an expression could end here."""
        return bool(self._tail or self._line != "(") and self.complete()

    @property
    def nested(self) -> bool:
        """Whether a bracket or a string is open that was opened here."""
        return self.in_string or bool(self.brackets)

    @property
    def in_string(self) -> bool:
        """Whether a string is open."""
        begun = self._tail[-1:] in ("'", '"') and self._tail[-2:-1] != self._tail[-1:]
        return self._quoted is not None or begun

    @property
    def brackets(self) -> str:
        """The brackets that are open, the innermost last."""
        return self._brackets[self._floor :]

    def foreign(self, start: bytes) -> bool:
        """Tells whether a character that begins with the bytes `start` may be next."""
        if self._quoted is not None:
            return not self._quoted.binary and self._quoted.where in ("text", "format")
        if self._comment:
            return True
        return any(self.feed(each) is not None for each in letters(start))

    # Reading characters.

    def _read(self, text: str) -> None:
        if self._return and text.startswith("\n"):
            text = text[1:]
        if "\r" in text:
            self._return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        elif text:
            self._return = False
        self.lines += text.count("\n")
        text, self._tail, place = self._tail + text, "", 0
        while place < len(text):
            if self._quoted is not None:
                self._string(text[place])
                place += 1
            elif self._comment:
                end = text.find("\n", place)
                if "\0" in text[place:end]:
                    raise Dead
                place, self._comment = (len(text), True) if end < 0 else (end, False)
            elif not self._started:
                place = self._indentation(text, place)
            else:
                place = self._token(text, place)

    def _indentation(self, text: str, place: int) -> int:
        char = text[place]
        if char == " ":
            self._column, self._narrow = self._column + 1, self._narrow + 1
        elif char == "\t":
            self._column, self._narrow = (self._column // 8 + 1) * 8, self._narrow + 1
        elif char in "\f\n":
            self._column = self._narrow = 0
            self._fixed = 0 if char == "\n" else self._fixed
        elif char == "#":
            self._comment = True
        elif char == "\\":
            # Where it stands decides, but not in the first column.
            self._fixed = self._fixed or self._column
            return self._continuation(text, place)
        else:
            self._indented()
            self._started = True
            return place
        self._continued = False
        return place + 1

    def _continuation(self, text: str, place: int) -> int:
        """Reads a backslash, and the end of the line that has to follow."""
        if place + 1 < len(text) and text[place + 1] != "\n":
            raise Dead
        self._tail = "\\" if place + 1 == len(text) else ""
        self._continued, self._glued = True, False
        return place + 2

    def _indented(self) -> None:
        """Opens or closes blocks, as a line begins at a column."""
        column = self._fixed or self._column
        narrow = self._fixed or self._narrow
        self._levels = entered(self._levels, column, narrow, part=self._part)

    def _token(self, text: str, place: int) -> int:
        """Reads a token, or as much of one as is there; returns where it ends."""
        char, blank = text[place], BLANK.match(text, place)
        if blank:
            self._glued = self._continued = False
            return blank.end()
        if char == "\n":
            self._continued = False
            if not self._brackets:
                self._ended()
            return place + 1
        if char == "#":
            self._continued = False
            self._comment = True
            return place + 1
        if char == "\\":
            return self._continuation(text, place)
        return self._mark(text, place)

    def _mark(self, text: str, place: int) -> int:
        """Reads a name, a number, a quote or an operator."""
        word = WORD.match(text, place)
        end = word.end() if word else place
        if end == len(text):
            self._tail = text[place:]
            return end
        if text[end] in "'\"" and text[place:end].lower() in PREFIXES:
            return self._opening(text, place, end)
        if word:
            self._name(word[0])
            return end
        number = NUMBER.match(text, place)
        if number is None:
            return self._operator(text, place)
        end = number.end()
        if end == len(text):
            self._tail = number[0]
            return end
        said = number[0]
        if said[-1] in "eE" and not WHOLE_NUMBER.fullmatch(said):
            said, end = said[:-1], end - 1  # the beginning of `else`
        if not WHOLE_NUMBER.fullmatch(said) or self._glued:
            raise Dead
        self._put(said if len(said) > LONG_NUMBER else "1j" if said[-1] in "jJ" else "1")
        self._glued = True
        return end

    def _name(self, word: str) -> None:
        if not word.isidentifier() or (self._glued and word not in AFTER_NUMBER):
            raise Dead
        # The parser knows one name like another, and what it said of it is remembered.
        self._put(word if word in KNOWN else NAME)

    def _opening(self, text: str, place: int, start: int) -> int:
        """Begins a string, if there are characters enough to tell what its quotes are."""
        quote, rest = text[start], text[start : start + 3]
        if rest in (quote, quote * 2):
            self._tail = text[place:]
            return len(text)
        prefix = text[place:start].lower()
        kind = "b" if "b" in prefix else "t"
        if self._glued or (self._strings and self._strings != kind):
            raise Dead
        self._strings = kind
        if rest[:2] == quote * 2 and rest != quote * 3:
            self._close()
            return start + 2
        many = 3 if rest == quote * 3 else 1
        self._quoted = Quoted(
            quote=quote * many,
            raw="r" in prefix,
            binary=kind == "b",
            fields="f" in prefix,
            begin=Program.expression,
        )
        return start + many

    def _string(self, char: str) -> None:
        assert self._quoted is not None
        if char == "\0":
            raise Dead
        self._quoted, status = self._quoted.take(char)
        if status == "dead":
            raise Dead
        if status == "closed":
            self._quoted = None
            self._close()

    def _close(self) -> None:
        kind = self._strings
        self._put(_empty(kind))
        self._strings = kind

    def _operator(self, text: str, place: int) -> int:
        rest = text[place : place + 3]
        if len(rest) < 3 and place + len(rest) == len(text) and self._longer(rest):
            self._tail = rest
            return len(text)
        found = next((each for each in OPERATORS if rest.startswith(each)), None)
        if found is None:
            raise Dead
        if found in "([{":
            self._brackets += found
        elif found in ")]}":
            if not self.brackets or self._brackets[-1] != PARTNER[found]:
                raise Dead
            self._brackets = self._brackets[:-1]
        self._put(found)
        return place + len(found)

    @staticmethod
    def _longer(text: str) -> bool:
        """Tells whether an operator, or a number behind a point, begins with `text` and goes on."""
        longer = any(each.startswith(text) and each != text for each in OPERATORS)
        return longer or text == "!"

    def _put(self, token: str) -> None:
        self._line = f"{self._line} {token}" if self._line else token
        self._strings, self._glued, self._continued, self._memo = "", False, False, {}

    def _ended(self) -> None:
        """Ends a logical line."""
        if not self._asked("\n"):
            raise Dead
        self._levels = ended(self._levels, self._line)
        self._line, self._started, self._column, self._narrow = "", False, 0, 0
        self._fixed = 0
        self._strings, self._glued, self._memo = "", False, {}

    # Asking the parser.

    def _shown(self) -> str:
        """Returns what the parser is shown of what stands above the line that is open."""
        depth = len(self._levels) - 1 if self._started else 0
        return shown(self._levels) + " " * depth

    def _asked(self, behind: str) -> bool:
        """Tells whether the open line can go on with `behind`."""
        known = self._memo.get(behind)
        if known is None:
            known = begins(f"{self._shown()}{f'{self._line} {behind}'.lstrip(' ')} \\\n")
            self._memo[behind] = known
        return known

    def _viable(self) -> bool:
        """Tells whether a program may go on from here; what ended is known to be sound."""
        if not self._started:
            return True
        if self._quoted is not None:
            return self._asked(_empty(self._strings))
        if self._comment:
            return self._asked("" if self._brackets else "\n")
        tail = self._tail
        if not tail or tail == "\\":
            return self._asked("")
        if tail[-1] in "'\"":
            kind = "b" if "b" in tail.lower() else "t"
            same = self._strings in ("", kind)
            return same and not self._glued and self._asked(_empty(kind))
        if WORD.fullmatch(tail):
            return self._word(tail)
        if tail[0].isdigit() or (tail[0] == "." and len(tail) > 1 and tail[1].isdigit()):
            return self._digits(tail)
        more = [each for each in OPERATORS if each.startswith(tail)]
        return any(map(self._asked, more)) or (
            (tail == "." and not self._glued and self._asked(".0"))
            or (tail == ".." and self._asked(". ."))
        )

    def _word(self, tail: str) -> bool:
        if self._glued:
            return any(self._asked(each) for each in sorted(AFTER_NUMBER) if each.startswith(tail))
        if tail.isidentifier() and self._asked(NAME):
            return True
        if any(self._asked(each) for each in (*kwlist, *softkwlist) if each.startswith(tail)):
            return True
        kinds = {"b" if "b" in each else "t" for each in PREFIXES if each.startswith(tail.lower())}
        return any(
            self._strings in ("", kind) and self._asked(_empty(kind)) for kind in sorted(kinds)
        )

    def _digits(self, tail: str) -> bool:
        if self._glued:
            return False
        whole = any(WHOLE_NUMBER.fullmatch(tail + more) for more in ("", "0", ".", "0."))
        if whole and (self._asked("0") or self._asked("0j")):
            return True
        # `1e` of `1else`
        cut = tail[:-1]
        return bool(tail[-1] in "eE" and WHOLE_NUMBER.fullmatch(cut) and self._asked(f"{cut} else"))


def _empty(kind: str) -> str:
    """Returns an empty string of a kind."""
    return "b''" if kind == "b" else "''"
