"""The bodies of a pipeline: one meaning as a loop, an expression, steps, an index loop, lambdas.

`bodies` writes the code of a `Plan` in each style that suits it. That they agree is what the
tests run them for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from codewright.corpus.exercises.reducers import Reducer, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A pipeline before it is written: code with the variables that its styles use."""

    source: Source
    variable: str
    conditions: tuple[str, ...]
    negations: tuple[str, ...]
    either: bool
    value: str
    position: bool
    reducer: Reducer

    @property
    def condition(self) -> str:
        if not self.either:
            return " and ".join(self.conditions)
        return " or ".join(self.conditions)

    @property
    def each(self) -> str:
        """What stands between `for` and the colon."""
        if self.position:
            return f"i, {self.variable} in enumerate({self.source.code})"
        return f"{self.variable} in {self.source.code}"

    @property
    def tail(self) -> str:
        """The for and if part of a comprehension."""
        outer = f"{self.source.outer} for " if self.source.outer else ""
        condition = f" if {self.condition}" if self.conditions else ""
        return outer + self.each + condition


def _indent(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line else line for line in text.splitlines())


def bodies(plan: Plan) -> list[str]:
    """Returns the bodies, the short form as often as people write it."""
    found = [_loop(plan, guard=False)]
    reducer = plan.reducer
    if plan.conditions:
        found.append(_loop(plan, guard=True))
        if plan.value != plan.variable and not plan.position:
            found.append(_steps(plan))
    if plan.source.indexed and not plan.position and plan.variable != plan.source.code:
        found.append(_while(plan))
    if not reducer.expr:
        listed = _tidy(f"values = [{plan.value} for {plan.tail}]", plan)
        if reducer.name == "last":
            found.append(f"    {listed}\n    return values[-1] if values else None")
        elif reducer.name == "mean":
            found.append(f"    {listed}\n    return sum(values) / len(values) if values else 0.0")
            found.append(
                f"    {listed}\n    if not values:\n        return 0.0\n"
                "    return sum(values) / len(values)"
            )
        elif reducer.name == "range":
            found.append(
                f"    {listed}\n    if not values:\n        return 0\n"
                "    return max(values) - min(values)"
            )
        elif reducer.name == "alternating_sum":
            found.append(f"    {listed}\n    return sum(values[::2]) - sum(values[1::2])")
        return found
    expr = _expression(plan)
    # The short form is what people write most.
    found += [f"    return {expr}"] * 3
    if len(expr) > 60 or reducer.name not in ("first",):
        found.append(f"    result = {expr}\n    return result")
    if not plan.source.outer and not plan.position:
        found.append(_lambdas(plan))
    return found


def _expression(plan: Plan) -> str:
    reducer = plan.reducer
    generator = f"{plan.value} for {plan.tail}"
    listed = f"[{generator}]"
    if not plan.conditions and plan.value == plan.variable and plan.source.indexed:
        generator = plan.source.code
        listed = f"list({generator})"
        if reducer.expr == "next(({g}), None)":
            generator = f"iter({generator})"
    if reducer.expr == "[{g}]":
        return _tidy(listed, plan)
    expr = reducer.expr.replace("({g})", f"({generator})" if "{g}," not in reducer.expr else "{g}")
    if "next(({g}), None)" in reducer.expr:
        expr = f"next(({generator}), None)".replace(f"((iter({plan.source.code}))", "(iter("
                                                   + plan.source.code + ")")  # fmt: skip
    elif "{g}, " in expr:
        plain = generator == plan.source.code
        expr = expr.replace("{g}", generator if plain else f"({generator})")
    return expr.replace("{l}", listed).replace("{v}", plan.value).replace("{t}", plan.tail)


def _tidy(code: str, plan: Plan) -> str:
    """A comprehension that copies its source is a call of list."""
    copied = f"[{plan.variable} for {plan.variable} in {plan.source.code}]"
    return code.replace(copied, f"list({plan.source.code})")


def _step(plan: Plan) -> tuple[str, str]:
    """Returns the statements of one turn of a loop and those that follow the loop."""
    lines = plan.reducer.step.splitlines()
    after = "\n".join(line[1:] for line in lines if line.startswith("@"))
    step = "\n".join(line for line in lines if not line.startswith("@"))
    if step.count("{v}") > 1 and not re.fullmatch(r"\w+", plan.value):
        step = "value = {v}\n" + step.replace("{v}", "value")
    return step.replace("{v}", plan.value), after


def _loop(plan: Plan, *, guard: bool) -> str:
    step, after = _step(plan)
    if plan.conditions and guard and not plan.either:
        skips = "".join(f"if {negated}:\n    continue\n" for negated in plan.negations)
        inner = skips + step
    elif plan.conditions:
        inner = f"if {plan.condition}:\n" + _indent(step, 4)
    else:
        inner = step
    loop = f"for {plan.each}:\n" + _indent(inner, 4)
    if plan.source.outer:
        loop = f"for {plan.source.outer}:\n" + _indent(loop, 4)
    parts = [plan.reducer.start, loop, after, f"return {plan.reducer.end}"]
    return _indent("\n".join(part for part in parts if part), 4)


def _while(plan: Plan) -> str:
    step, after = _step(plan)
    source, variable = plan.source.code, plan.variable
    inner = f"if {plan.condition}:\n" + _indent(step, 4) if plan.conditions else step
    loop = f"for i in range(len({source})):\n    {variable} = {source}[i]\n" + _indent(inner, 4)
    parts = [plan.reducer.start, loop, after, f"return {plan.reducer.end}"]
    return _indent("\n".join(part for part in parts if part), 4)


def _steps(plan: Plan) -> str:
    tail = f"{plan.variable} for {plan.tail}"
    value = f"{plan.value} for {plan.variable} in selected"
    end = plan.reducer
    lines = [f"selected = [{tail}]"]
    if not end.expr or "{t}" in end.expr:
        loop = Plan(
            source=Source(element="int", code="selected", params=(), where=()),
            variable=plan.variable, conditions=(), negations=(), either=False, value=plan.value,
            position=False, reducer=end,
        )  # fmt: skip
        return _indent(lines[0], 4) + "\n" + _loop(loop, guard=False)
    lines.append(f"values = [{value}]")
    expr = end.expr.replace("({g})", "(values)").replace("[{g}]", "values")
    expr = expr.replace("next((values), None)", "next(iter(values), None)")
    expr = expr.replace("next(({g}), None)", "next(iter(values), None)")
    expr = expr.replace("{g}", "values").replace("{l}", "values")
    if expr == "values":
        return _indent(f"{lines[0]}\nreturn [{value}]", 4)
    return _indent("\n".join([*lines, f"return {expr}"]), 4)


def _lambdas(plan: Plan) -> str:
    chosen = plan.source.code
    if plan.conditions:
        chosen = f"filter(lambda {plan.variable}: {plan.condition}, {chosen})"
    if plan.value != plan.variable:
        chosen = f"map(lambda {plan.variable}: {plan.value}, {chosen})"
    expr = plan.reducer.expr
    if "{t}" in expr:
        return _indent(f"return {_expression(plan)}", 4)
    expr = expr.replace("[{g}]", "list({g})").replace("(({g})", "(iter({g})")
    listed = chosen if expr.startswith("sorted") else f"list({chosen})"
    return _indent("return " + expr.replace("{g}", chosen).replace("{l}", listed), 4)
