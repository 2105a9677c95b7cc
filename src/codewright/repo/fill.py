"""Fills a budget of tokens with what is worth most for its tokens, and never overfills it.

Each item has levels of detail, each of which costs more and is worth more than the one below it: a
knapsack with steps, filled greedily by worth for tokens (Dantzig 1957, for one item a step). A
step's cost is estimated line by line; what comes of it is laid out and counted as a whole, and the
last steps are taken back until it fits.
"""

from __future__ import annotations

import heapq
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from codewright.repo.counting import Counter
from codewright.repo.forms import Form, Shown
from codewright.repo.outline import outline, reach, span
from codewright.repo.passages import Item, Sight
from codewright.types.context import Context, Detail, LeftOut, Part, Passage, Reason

MOST_ITEMS = 400
"""Items that are looked at: the others are too unlikely to be needed."""
LEAST = 0.0005
"""The chance of being needed below which nothing is shown."""
NAMED = 12
"""Items that are named of what is left out."""
SPARE_TRIES = 6
"""Steps that are tried once more where counting the whole leaves room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where a context stands. name: of the repository. open_path: of the file that follows."""

    form: Form
    counter: Counter
    count: Callable[[str], int]
    """As the counter's, with a memory."""
    name: str
    open_path: str

    def parts(self, files: Sequence[Shown]) -> list[Part]:
        """Returns the layout of files."""
        return self.form.lay_out(self.name, files, self.open_path, self.counter.specials)


@dataclass(slots=True)
class _State:
    """What is chosen so far. details: by place in the items. order: places, as steps were taken."""

    details: dict[int, Detail] = field(default_factory=dict)
    order: list[tuple[int, Detail | None]] = field(default_factory=list)
    heads: set[tuple[str, int]] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    whole: set[tuple[str, int]] = field(default_factory=set)
    used: int = 0


class Fill:
    """One filling of one budget."""

    def __init__(
        self, items: Sequence[Item], sight: Sight, page: Page, budget: int, *, visible: str = ""
    ) -> None:
        """Takes the items.

        Args:
            items: in any order; of two that are the same, the more probable stays.
            sight: reads definitions.
            page: where they are to stand.
            budget: tokens, at most.
            visible: the text of the open file.
        """
        self._left: list[LeftOut] = []
        self._reasons: Tally[Reason] = Tally()
        self._items: list[Item] = []
        self._sight, self._page, self._budget = sight, page, budget
        self._state = _State()
        self._sizes: dict[tuple[int, Detail], int] = {}
        self._outers: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self._sort(sorted(items, key=lambda item: -item.confidence), visible)

    def _sort(self, ranked: Sequence[Item], visible: str) -> None:
        """Keeps what may be shown and notes why the rest is not."""
        places: set[tuple[str, int]] = set()
        known: set[str] = set()
        seen = {line.strip() for line in visible.split("\n")}
        for item in ranked:
            place = (item.path, item.ordinal)
            if item.ordinal >= 0 and place in places:
                continue  # the same for another reason, and less surely
            if len(self._items) >= MOST_ITEMS or item.confidence < LEAST:
                self.leave(item, "low confidence")
                continue
            said = self._said(item)
            if said in known:
                self.leave(item, "duplicate")
            elif item.ordinal < 0 and all(line.strip() in seen for line in said.split("\n")):
                self.leave(item, "already visible")
            else:
                places.add(place)
                known.add(said)
                self._items.append(item)

    def _said(self, item: Item) -> str:
        """Returns what an item says, without its place: copies of it say the same."""
        if item.ordinal < 0:
            return "\n".join(line.strip() for line in item.text.strip().split("\n"))
        facts = self._sight.facts(item.path)
        assert facts is not None
        definition = facts.definitions[item.ordinal]
        long = definition.end - definition.line
        return f"{facts.qualified(item.ordinal)}: {definition.signature}, {long}"

    def missing(self, names: Sequence[str], unlikely: int) -> None:
        """Notes what was not even thought of.

        Args:
            names: that the open file imports and that are nowhere.
            unlikely: how many definitions are hardly ever needed in such a place.
        """
        for name in dict.fromkeys(names):
            self._reasons["unresolved"] += 1
            self._left.append(LeftOut(source=name, kind="import", reason="unresolved"))
        if unlikely:
            self._reasons["low confidence"] += unlikely

    def leave(self, item: Item, reason: Reason, tokens: int = 0) -> None:
        """Notes that an item is not shown."""
        self._reasons[reason] += 1
        source = item.source or f"{item.path}:{item.first}-{item.last}"
        self._left.append(LeftOut(source=source, kind=item.kind, reason=reason, tokens=tokens))

    def context(self) -> Context:
        """Returns what is shown."""
        over = self._greedy()
        files = self._files()
        tokens = self._page.counter.laid(self._page.parts(files))
        while tokens > self._budget:
            # By a share of what is too much, at least one: hostile texts are far from their lines.
            for _ in range(1 + len(self._state.order) * (tokens - self._budget) // (4 * tokens)):
                over.append(self._back())
            files = self._files()
            tokens = self._page.counter.laid(self._page.parts(files))
        for step in over[:SPARE_TRIES]:
            if tokens + self._cost(*step) <= self._budget and self._next(step[0]) == step[1]:
                self._take(*step)
                more = self._files()
                count = self._page.counter.laid(self._page.parts(more))
                if count > self._budget:
                    self._back()
                else:
                    files, tokens = more, count
        return self._told(files, tokens)

    def _greedy(self) -> list[tuple[int, Detail]]:
        """Takes steps while there is room; returns those for which there was none."""
        over: list[tuple[int, Detail]] = []
        heap: list[tuple[float, int, Detail]] = []
        for place in range(len(self._items)):
            self._push(heap, place)
        base = self._page.counter.laid(self._page.parts([Shown(path="", text="")]))
        self._state.used = base
        while heap:
            worth, place, detail = heapq.heappop(heap)
            if self._next(place) != detail:
                continue
            cost = self._cost(place, detail)
            now = -self._gain(place, detail) / cost
            if heap and now > heap[0][0] and now > worth:
                heapq.heappush(heap, (now, place, detail))
                continue
            if self._state.used + cost > self._budget:
                over.append((place, detail))
                continue
            self._take(place, detail)
            self._push(heap, place)
        return over

    def _push(self, heap: list[tuple[float, int, Detail]], place: int) -> None:
        detail = self._next(place)
        if detail is not None:
            ratio = self._gain(place, detail) / self._cost(place, detail)
            heapq.heappush(heap, (-ratio, place, detail))

    def _next(self, place: int) -> Detail | None:
        """Returns the level above an item's present one that says more and can be had."""
        item, known = self._items[place], self._state.details.get(place)
        if self._inside(item):
            return None
        levels = [detail for detail, _ in item.worth]
        for detail in levels[0 if known is None else levels.index(known) + 1 :]:
            lines = self._lines(item, detail)
            if lines is not None:
                return detail
        return None

    def _gain(self, place: int, detail: Detail) -> float:
        item, known = self._items[place], self._state.details.get(place)
        worth = dict(item.worth)
        return item.confidence * (worth[detail] - (worth[known] if known else 0.0))

    def _lines(self, item: Item, detail: Detail) -> list[str] | None:
        if item.ordinal < 0:
            return item.text.split("\n")
        return self._sight.shown(item.path, item.ordinal, detail)

    def _size(self, lines: Sequence[str]) -> int:
        return sum(self._page.count(f"\n{line}") for line in lines)

    def _sized(self, place: int, detail: Detail) -> int:
        size = self._sizes.get((place, detail))
        if size is None:
            size = self._size(self._lines(self._items[place], detail) or ())
            self._sizes[place, detail] = size
        return size

    def _cost(self, place: int, detail: Detail) -> int:
        """Returns about how many tokens a step costs, at least one."""
        item, known = self._items[place], self._state.details.get(place)
        cost = self._sized(place, detail)
        if known is not None:
            return max(1, cost - self._sized(place, known))
        if item.path not in self._state.paths:
            cost += self._page.count(f"\n# {item.path}:100-200\n") + 1
        for head in self._outer(item):
            if head not in self._state.heads:
                cost += self._size(self._sight.shown(*head, "signature") or ())
        return max(1, cost)

    def _inside(self, item: Item) -> bool:
        """Tells whether a definition is part of one that is shown whole."""
        return any(outer in self._state.whole for outer in self._outer(item))

    def _outer(self, item: Item) -> list[tuple[str, int]]:
        if item.ordinal < 0:
            return []
        key = item.path, item.ordinal
        found = self._outers.get(key)
        if found is None:
            found = [(item.path, outer) for outer in self._sight.within(*key)]
            self._outers[key] = found
        return found

    def _take(self, place: int, detail: Detail) -> None:
        item, state = self._items[place], self._state
        state.used += self._cost(place, detail)
        state.order.append((place, state.details.get(place)))
        state.details[place] = detail
        state.paths.add(item.path)
        state.heads.update(self._outer(item))
        if item.ordinal >= 0:
            state.heads.add((item.path, item.ordinal))
            if detail == "whole":
                state.whole.add((item.path, item.ordinal))

    def _back(self) -> tuple[int, Detail]:
        """Takes the last step back and returns it."""
        place, before = self._state.order.pop()
        taken = self._state.details[place]
        self._state.whole.discard((self._items[place].path, self._items[place].ordinal))
        if before is None:
            del self._state.details[place]
        else:
            self._state.details[place] = before
        return place, taken

    def _chosen(self) -> dict[str, list[tuple[Item, Detail]]]:
        """Returns what is chosen by path, the files that matter most last."""
        found: dict[str, list[tuple[Item, Detail]]] = {}
        for place, detail in self._state.details.items():
            item = self._items[place]
            found.setdefault(item.path, []).append((item, detail))
        best = {path: max(each.confidence for each, _ in chosen) for path, chosen in found.items()}
        return {path: found[path] for path in sorted(found, key=lambda path: (best[path], path))}

    def _files(self) -> list[Shown]:
        return [
            Shown(
                path=path,
                text="\n".join(outline(self._sight, path, chosen)),
                lines=span(self._sight, path, chosen),
                prose=all(item.kind in ("guideline", "readme") for item, _ in chosen),
            )
            for path, chosen in self._chosen().items()
        ]

    def _told(self, files: Sequence[Shown], tokens: int) -> Context:
        for place, item in enumerate(self._items):
            if place not in self._state.details and not self._inside(item):
                level = next((each for each, _ in item.worth if self._lines(item, each)), None)
                cost = self._sized(place, level) if level else 0
                self.leave(item, "over budget", cost)
        passages = [
            self._passage(item, detail)
            for chosen in self._chosen().values()
            for item, detail in chosen
            if not self._inside(item)
        ]
        lost = [each for each in self._left if each.reason == "unresolved"]
        rest = [each for each in self._left if each.reason != "unresolved"]
        biggest = [*lost, *sorted(rest, key=lambda each: -each.tokens)][:NAMED]
        parts = self._page.parts(files)
        return Context(
            text="".join(part.text for part in parts),
            parts=tuple(parts),
            tokens=tokens,
            budget=self._budget,
            exact=self._page.counter.exact,
            passages=tuple(passages),
            left_out=tuple(biggest),
            counts=dict(self._reasons),
        )

    def _passage(self, item: Item, detail: Detail) -> Passage:
        lines = self._lines(item, detail)
        assert lines is not None
        first, last = reach(self._sight, item, detail)
        place = f"{item.path}:{first}-{last}" if first else item.path
        return Passage(
            source=item.source or place,
            path=item.path,
            first=first,
            last=last,
            kind=item.kind,
            detail=detail,
            text="\n".join(lines),
            tokens=self._size(lines),
            why=item.why,
            confidence=round(item.confidence, 4),
        )
