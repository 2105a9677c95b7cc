"""Functions that use the function before them: select, sort, count or map by it."""

from __future__ import annotations

from random import Random

from codewright.corpus.exercises.function import Function
from codewright.corpus.exercises.parts import Param, Task

MANY = {
    "int": ("ints", "numbers", "n", "number"),
    "nat": ("naturals", "numbers", "n", "number"),
    "pos": ("positives", "numbers", "n", "number"),
    "text": ("strs", "texts", "text", "string"),
    "word": ("strs", "words", "word", "word"),
    "ints": ("nested", "lists", "values", "list"),
}
FORMS = {
    "bool": (
        ("select", "[{x} for {x} in {xs} if {f}({x})]", "the {noun}s in {{{xs}}} for which {f} "
         "holds", "*", ("select_{f}", "filter_{f}", "keep_{f}", "{f}_only")),
        ("reject", "[{x} for {x} in {xs} if not {f}({x})]", "the {noun}s in {{{xs}}} for which "
         "{f} does not hold", "*", ("reject_{f}", "drop_{f}", "without_{f}")),
        ("count", "sum(1 for {x} in {xs} if {f}({x}))", "the number of {noun}s in {{{xs}}} for "
         "which {f} is true", "int", ("count_{f}", "number_of_{f}", "how_many_{f}")),
        ("all", "all({f}({x}) for {x} in {xs})", "{f} is true for each {noun} in {{{xs}}}",
         "bool", ("all_{f}", "every_{f}")),
        ("any", "any({f}({x}) for {x} in {xs})", "{f} is true for at least one {noun} in "
         "{{{xs}}}", "bool", ("any_{f}", "some_{f}")),
    ),
    "int": (
        ("total", "sum({f}({x}) for {x} in {xs})", "the sum of {f} over the {noun}s in {{{xs}}}",
         "int", ("total_{f}", "sum_{f}", "{f}_total")),
        ("sort", "sorted({xs}, key={f})", "the {noun}s in {{{xs}}} sorted by {f}", "*",
         ("sort_by_{f}", "order_by_{f}")),
        ("best", "max({xs}, key={f}, default=None)", "the {noun} in {{{xs}}} with the largest "
         "{f}, or None if there is none", "?", ("best_by_{f}", "max_by_{f}")),
        ("map", "[{f}({x}) for {x} in {xs}]", "a list of the results of {f} for the {noun}s in "
         "{{{xs}}}", "ints", ("map_{f}", "{f}_of_all", "each_{f}", "{f}_list")),
    ),
    "text": (
        ("map", "[{f}({x}) for {x} in {xs}]", "a list with {f} applied to each {noun} in "
         "{{{xs}}}", "strs", ("map_{f}", "{f}_all", "{f}_each")),
        ("join", '" ".join({f}({x}) for {x} in {xs})', "the results of {f} for the {noun}s in "
         "{{{xs}}}, joined by spaces", "text", ("join_{f}", "{f}_joined")),
    ),
}  # fmt: skip


def derive(rng: Random, function: Function) -> Task | None:
    """Returns a task whose bodies call the function, or None where none fits its types."""
    task = function.task
    if len(task.params) != 1 or task.params[0].kind not in MANY:
        return None
    forms = FORMS.get(task.returns)
    if forms is None:
        return None
    many, plural, single, noun = MANY[task.params[0].kind]
    name, code, english, returns, titles = rng.choice(forms)
    fields = {"x": single, "xs": plural, "f": function.name, "noun": noun}
    expression = code.format(**fields)
    optional = {"ints": "int?", "naturals": "int?", "positives": "int?", "strs": "str?"}
    if returns == "?" and many not in optional:
        return None
    gives = {"*": many, "?": optional.get(many, "")}.get(returns, returns)
    bodies = [f"    return {expression}"]
    condition = f"{function.name}({single})"
    value = f"{function.name}({single})"
    if name in ("select", "reject"):
        negate = "not " if name == "reject" else ""
        bodies.append(
            f"    result = []\n    for {single} in {plural}:\n        if {negate}{condition}:\n"
            f"            result.append({single})\n    return result"
        )
    elif name == "count":
        bodies.append(
            f"    count = 0\n    for {single} in {plural}:\n        if {condition}:\n"
            "            count += 1\n    return count"
        )
    elif name == "total":
        bodies.append(
            f"    total = 0\n    for {single} in {plural}:\n        total += {value}\n"
            "    return total"
        )
    elif name == "map":
        bodies.append(
            f"    result = []\n    for {single} in {plural}:\n        result.append({value})\n"
            "    return result"
        )
        bodies.append(f"    return list(map({function.name}, {plural}))")
    elif name in ("all", "any"):
        test, early = ("not ", "False") if name == "all" else ("", "True")
        late = "True" if name == "all" else "False"
        bodies.append(
            f"    for {single} in {plural}:\n        if {test}{condition}:\n"
            f"            return {early}\n    return {late}"
        )
    return Task(
        key=f"{name}({task.key})",
        names=tuple(title.format(**fields) for title in titles),
        params=(Param(name=plural, kind=many),),
        returns=gives,
        says=(("if" if gives == "bool" else "np", english.format(**fields)),),
        bodies=tuple(bodies),
    )
