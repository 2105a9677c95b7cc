"""What a pipeline does with its values at the end: the table of reductions and of sources.

In the code `{g}` is a generator without brackets, `{l}` a list or any iterable, `{v}` one value.
In English `{of}` is what the values are ("the squares of the even numbers in {numbers}").
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reducer:
    """One way to end a pipeline.

    takes: kinds of values it fits. expr: one expression. start, step, end: the same as a loop;
    `end` is returned. empty: what no values give. returns: `*` stands for a list of the values,
    `?` for one or None, `=` for one value. returning: `step` leaves the loop by itself.
    """

    name: str
    takes: tuple[str, ...]
    expr: str
    start: str
    step: str
    end: str
    english: tuple[str, ...]
    returns: str
    notes: tuple[str, ...] = ()
    form: str = "np"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where elements come from: `code` is iterated, `where` says so, `outer` is a loop around."""

    element: str
    code: str
    where: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    noun: tuple[str, str] | None = None
    outer: str = ""
    indexed: bool = False


def _loop(
    name: str,
    takes: str,
    loop: tuple[str, str, str, str],
    english: str,
    returns: str,
    note: str = "",
) -> Reducer:
    expr, start, step, end = loop
    return Reducer(
        name=name,
        takes=tuple(takes.split()),
        expr=expr,
        start=start,
        step=step,
        end=end,
        english=tuple(part.strip() for part in english.split("|")),
        returns=returns,
        notes=tuple(part.strip() for part in note.split("|")) if note else (),
    )


APPEND = "result.append({v})"

REDUCERS = (
    _loop("sum", "int", ("sum({g})", "total = 0", "total += {v}", "total"),
          "the sum of {of} | the total of {of} | the sum of all {of:the}", "int"),
    _loop("product", "int", ("math.prod({g})", "product = 1", "product *= {v}", "product"),
          "the product of {of} | the product of all {of:the}", "int",
          "The product of no numbers is 1."),
    _loop("max", "int",
          ("max({g}, default=None)", "best = None",
           "if best is None or {v} > best:\n    best = {v}", "best"),
          "the largest of {of} | the maximum of {of} | the greatest of {of}", "int?",
          "Return None if there are none. | If there is none, return None."),
    _loop("min", "int",
          ("min({g}, default=None)", "best = None",
           "if best is None or {v} < best:\n    best = {v}", "best"),
          "the smallest of {of} | the minimum of {of} | the least of {of}", "int?",
          "Return None if there are none. | If there is none, return None."),
    _loop("max", "int",
          ("max({g}, default=0)", "values = []", "values.append({v})",
           "max(values) if values else 0"),
          "the largest of {of} | the maximum of {of}", "int", "Return 0 if there are none."),
    _loop("mean", "int",
          ("", "total = 0\ncount = 0", "total += {v}\ncount += 1",
           "total / count if count else 0.0"),
          "the average of {of} | the mean of {of} | the arithmetic mean of {of}", "float",
          "Return 0.0 if there are none. | The average of nothing is 0.0."),
    _loop("list", "int word char", ("[{g}]", "result = []", APPEND, "result"),
          "a list of {of} | the list of {of} | a new list with {of} | {of} as a list", "*"),
    _loop("list", "int word", ("[{g}]", "result = []", APPEND, "result"), "{of}", "*",
          "Keep their order. | The order stays the same. | The result is a list."),
    _loop("sorted", "int word char",
          ("sorted({g})", "result = []", APPEND + "\n@result.sort()", "result"),
          "a sorted list of {of} | {of} in ascending order | {of}, sorted", "*"),
    _loop("descending", "int word",
          ("sorted({l}, reverse=True)", "result = []", APPEND + "\n@result.sort(reverse=True)",
           "result"),
          "{of} in descending order | {of}, sorted from high to low | a list of {of} "
          "in descending order", "*"),
    _loop("reversed", "int word char",
          ("{l}[::-1]", "result = []", "result.insert(0, {v})", "result"),
          "{of} in reverse order | a list of {of}, last one first", "*"),
    _loop("distinct", "int word char",
          ("list(dict.fromkeys({g}))", "result = []",
           "if {v} not in result:\n    result.append({v})", "result"),
          "a list of {of} without duplicates | {of}, each only once, in order of first "
          "appearance", "*"),
    _loop("distinct_count", "int word char",
          ("len(set({g}))", "seen = set()", "seen.add({v})", "len(seen)"),
          "how many different values there are among {of} | the number of distinct values "
          "among {of}", "int"),
    _loop("set", "int", ("set({g})", "seen = set()", "seen.add({v})", "seen"),
          "the set of {of} | a set of {of} | a set with {of}", "intset"),
    _loop("first", "int word char",
          ("next(({g}), None)", "", "return {v}", "None"),
          "the first of {of} | the first one of {of}", "?",
          "Return None if there is none. | None if there are none."),
    _loop("last", "int word char",
          ("", "result = None", "result = {v}", "result"),
          "the last of {of} | the last one of {of}", "?",
          "Return None if there is none. | None if there are none."),
    _loop("join", "word",
          ('" ".join({g})', "parts = []", "parts.append({v})", '" ".join(parts)'),
          "{of} joined by spaces | a string of {of}, separated by spaces", "text"),
    _loop("join", "word",
          ('", ".join({g})', "parts = []", "parts.append({v})", '", ".join(parts)'),
          "{of} joined by commas and spaces | one string with {of}, separated by commas "
          "and spaces", "text"),
    _loop("join", "word",
          ('"-".join({g})', "parts = []", "parts.append({v})", '"-".join(parts)'),
          "{of} joined by hyphens | {of} as one string with hyphens between them", "text"),
    _loop("string", "char",
          ('"".join({g})', 'result = ""', "result += {v}", "result"),
          "a string of {of} | {of} as a string | the string made of {of}", "text"),
    _loop("string", "char",
          ('"".join({g})', "chars = []", "chars.append({v})", '"".join(chars)'),
          "a new string with {of} | the string of {of}", "text"),
    _loop("concat", "word", ('"".join({g})', 'result = ""', "result += {v}", "result"),
          "the concatenation of {of} | {of}, written one after the other", "text"),
    _loop("longest", "word",
          ('max({g}, key=len, default="")', 'best = ""\nfound = False',
           "if not found or len({v}) > len(best):\n    best = {v}\n    found = True", "best"),
          "the longest of {of}", "=",
          "The first one wins a tie; return an empty string if there are none."),
    _loop("shortest", "word",
          ('min({g}, key=len, default="")', "best = None",
           "if best is None or len({v}) < len(best):\n    best = {v}", 'best or ""'),
          "the shortest of {of}", "=",
          "The first one wins a tie; return an empty string if there are none."),
    _loop("by_length", "word",
          ("sorted({l}, key=len)", "result = []", APPEND + "\n@result.sort(key=len)", "result"),
          "{of} sorted by length | {of}, the shortest first", "*"),
    _loop("counts", "word char",
          ("dict(Counter({g}))", "counts = {}", "counts[{v}] = counts.get({v}, 0) + 1", "counts"),
          "a dictionary with how often each value occurs among {of} | a dictionary that maps "
          "each one of {of} to its number of occurrences", "counts"),
    _loop("total_length", "word",
          ("sum(len({v}) for {t})", "total = 0", "total += len({v})", "total"),
          "the total length of {of} | the sum of the lengths of {of}", "int"),
    _loop("range", "int",
          ("", "values = []", "values.append({v})", "max(values) - min(values) if values else 0"),
          "the difference between the largest and the smallest of {of}", "int",
          "Return 0 if there are none."),
    _loop("running", "int",
          ("list(itertools.accumulate({g}))", "total = 0\nresult = []",
           "total += {v}\nresult.append(total)", "result"),
          "the running totals of {of} | a list of the running sums of {of}", "ints"),
    _loop("alternating_sum", "int",
          ("", "total = 0\nsign = 1", "total += {v} * sign\nsign = -sign", "total"),
          "the alternating sum of {of} | the sum of {of}, with signs that alternate starting "
          "with plus", "int"),
    _loop("parity", "int",
          ("sum({g}) % 2 == 0", "total = 0", "total += {v}", "total % 2 == 0"),
          "True if the sum of {of} is even and False otherwise | whether the sum of {of} is even",
          "bool"),
)  # fmt: skip

COUNT = _loop("count", "any", ("sum(1 for {t})", "count = 0", "count += 1", "count"),
              "the number of {of:bare} | how many {of:are} | "
              "the count of {of:bare}", "int")  # fmt: skip

IN = ("in {%s}", "in {%s}", "of {%s}", "in {%s}")


def _where(text: str, name: str) -> tuple[str, ...]:
    return tuple(part.strip().replace("%s", name) for part in text.split("|"))


def _from(
    element: str,
    code: str,
    where: str,
    kind: str,
    noun: tuple[str, str] | None = None,
    outer: str = "",
) -> Source:
    return Source(element=element, code=code, where=_where(where, "items"),
                  params=(("items", kind),), noun=noun, outer=outer,
                  indexed=code == "items")  # fmt: skip


SEQUENCES = ("int", "int", "int", "word", "word", "char")
"""Elements of plain sequences, as often as they are drawn."""

SLICES = (
    ("items[::2]", "at even indices in {items} | at even positions (0, 2, ...) in {items}"),
    ("items[1::2]", "at odd indices in {items} | at odd positions (1, 3, ...) in {items}"),
    ("items[1:]", "after the first one in {items} | in {items} without its first element"),
    ("items[:-1]", "before the last one in {items} | in {items} without its last element"),
    ("items[:3]", "among the first three elements of {items}"),
    ("items[-3:]", "among the last three elements of {items}"),
    ("items[:len(items) // 2]", "in the first half of {items}"),
)

SOURCES = (
    Source(element="int", code="range(1, n + 1)", params=(("n", "nat"),),
           where=("from 1 to {n}", "between 1 and {n} (inclusive)", "from 1 up to {n}")),
    Source(element="int", code="range(n)", params=(("n", "nat"),),
           where=("from 0 to {n} - 1", "from 0 up to but not including {n}",
                  "at least 0 and below {n}")),
    Source(element="int", code="range(start, stop)", params=(("start", "tiny"), ("stop", "nat")),
           where=("from {start} up to but not including {stop}", "in range({start}, {stop})")),
    Source(element="int", code="range(low, high + 1)", params=(("low", "tiny"), ("high", "nat")),
           where=("from {low} to {high} inclusive", "between {low} and {high}, both included")),
    _from("int", "map(int, str(n))", "of {items} | in {items}", "big", ("digit", "digits")),
    _from("int", "map(int, digits)", "of {items} | in {items}", "digits", ("digit", "digits")),
    _from("word", "items.split()", "in {items} | of {items}", "text", ("word", "words")),
    _from("word", "items.split()", "in {items} | of {items}", "text", ("word", "words")),
    _from("int", "items.values()", "of {items} | in {items}", "counts", ("value", "values")),
    _from("word", "items", "of {items} | in {items}", "counts", ("key", "keys")),
    _from("int", "row", "in {items} | of {items}", "matrix", None, "row in items"),
    _from("int", "group", "in the lists of {items} | in {items}", "nested", None,
          "group in items"),
    _from("char", "word", "in all words of {items} | of the strings in {items}", "strs", None,
          "word in items"),
)  # fmt: skip
