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
from codewright.repo.faces import Face
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
        self._lost: list[LeftOut] = []
        self._left: list[tuple[Item, Reason, int]] = []
        self._reasons: Tally[Reason] = Tally()
        self._items: list[Item] = []
        self._faces: list[Face | None] = []
        self._outers: list[list[tuple[str, int]]] = []
        self._sight, self._page, self._budget = sight, page, budget
        self._state = _State()
        self._texts: dict[int, tuple[list[str], int]] = {}
        self._headings: dict[str, int] = {}
        self._drawn: dict[tuple[str, tuple[tuple[int, Detail], ...]], Shown] = {}
        self._sort(sorted(items, key=lambda item: -item.confidence), visible)

    def _sort(self, ranked: Sequence[Item], visible: str) -> None:
        """Keeps what may be shown and notes why the rest is not."""
        places: set[tuple[str, int]] = set()
        known: set[str] = set()
        seen: set[str] | None = None
        for item in ranked:
            place = (item.path, item.ordinal)
            if item.ordinal >= 0 and place in places:
                continue  # the same for another reason, and less surely
            if len(self._items) >= MOST_ITEMS or item.confidence < LEAST:
                self.leave(item, "low confidence")
                continue
            if item.ordinal >= 0:
                face: Face | None = self._sight.face(item.path, item.ordinal)
                assert face is not None
                said, outers = face.said, [(item.path, outer) for outer in face.within]
            else:
                lines = [line.strip() for line in item.text.strip().split("\n")]
                face, said, outers = None, "\n".join(lines), []
                if seen is None:
                    seen = {line.strip() for line in visible.split("\n")}
                if said not in known and seen.issuperset(lines):
                    self.leave(item, "already visible")
                    continue
            if said in known:
                self.leave(item, "duplicate")
            else:
                places.add(place)
                known.add(said)
                self._items.append(item)
                self._faces.append(face)
                self._outers.append(outers)

    def missing(self, names: Sequence[str], unlikely: int) -> None:
        """Notes what was not even thought of.

        Args:
            names: that the open file imports and that are nowhere.
            unlikely: how many definitions are hardly ever needed in such a place.
        """
        for name in dict.fromkeys(names):
            self._reasons["unresolved"] += 1
            self._lost.append(LeftOut(source=name, kind="import", reason="unresolved"))
        if unlikely:
            self._reasons["low confidence"] += unlikely

    def leave(self, item: Item, reason: Reason, tokens: int = 0) -> None:
        """Notes that an item is not shown."""
        self._reasons[reason] += 1
        self._left.append((item, reason, tokens))

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
        # Of each place there is one step here at a time, so its gain stays as it was put in.
        gains = [0.0] * len(self._items)
        heap = [step for place in range(len(self._items)) for step in self._steps(place, gains)]
        heapq.heapify(heap)
        base = self._page.counter.laid(self._page.parts([Shown(path="", text="")]))
        self._state.used = base
        while heap:
            worth, place, detail = heapq.heappop(heap)
            if self._inside(place):
                continue
            cost = self._cost(place, detail)
            now = -gains[place] / cost
            if heap and now > heap[0][0] and now > worth:
                heapq.heappush(heap, (now, place, detail))
                continue
            if self._state.used + cost > self._budget:
                over.append((place, detail))
                continue
            self._take(place, detail)
            for step in self._steps(place, gains):
                heapq.heappush(heap, step)
        return over

    def _steps(self, place: int, gains: list[float]) -> list[tuple[float, int, Detail]]:
        """Returns the next step of an item, if there is one, and notes what it gains."""
        detail = self._next(place)
        if detail is None:
            return []
        gain = gains[place] = self._gain(place, detail)
        return [(-(gain / self._cost(place, detail)), place, detail)]

    def _next(self, place: int) -> Detail | None:
        """Returns the level above an item's present one that says more and can be had."""
        if self._inside(place):
            return None
        known, item = self._state.details.get(place), self._items[place]
        above = known is None
        for detail, _ in item.worth:
            if above and (
                detail == "signature"
                or item.ordinal < 0
                or self._sight.can_be_had(item.path, item.ordinal, detail)
            ):
                return detail
            above = above or detail == known
        return None

    def _gain(self, place: int, detail: Detail) -> float:
        item, known = self._items[place], self._state.details.get(place)
        more = less = 0.0
        for each, worth in item.worth:
            if each == detail:
                more = worth
            elif each == known:
                less = worth
        return item.confidence * (more - less)

    def _text(self, place: int) -> tuple[list[str], int]:
        """Returns the lines of an item that is text, and their tokens."""
        found = self._texts.get(place)
        if found is None:
            lines = self._items[place].text.split("\n")
            size = sum(self._page.count(f"\n{line}") for line in lines)
            found = self._texts[place] = lines, size
        return found

    def _size(self, place: int, detail: Detail) -> int:
        face = self._faces[place]
        if face is None:
            return self._text(place)[1]
        size = face.sizes.get(detail)
        if size is None:
            item = self._items[place]
            size = self._sight.size(item.path, item.ordinal, detail)
        return size

    def _cost(self, place: int, detail: Detail) -> int:
        """Returns about how many tokens a step costs, at least one."""
        known = self._state.details.get(place)
        cost = self._size(place, detail)
        if known is not None:
            return max(1, cost - self._size(place, known))
        path = self._items[place].path
        if path not in self._state.paths:
            heading = self._headings.get(path)
            if heading is None:
                heading = self._page.count(f"\n# {path}:100-200\n") + 1
                self._headings[path] = heading
            cost += heading
        for head in self._outers[place]:
            if head not in self._state.heads:
                cost += self._sight.size(*head, "signature")
        return max(1, cost)

    def _inside(self, place: int) -> bool:
        """Tells whether a definition is part of one that is shown whole."""
        whole = self._state.whole
        return bool(whole) and not whole.isdisjoint(self._outers[place])

    def _take(self, place: int, detail: Detail) -> None:
        item, state = self._items[place], self._state
        state.used += self._cost(place, detail)
        state.order.append((place, state.details.get(place)))
        state.details[place] = detail
        state.paths.add(item.path)
        state.heads.update(self._outers[place])
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

    def _chosen(self) -> dict[str, list[int]]:
        """Returns the places that are chosen by path, the files that matter most last."""
        found: dict[str, list[int]] = {}
        for place in self._state.details:
            found.setdefault(self._items[place].path, []).append(place)
        best = {
            path: max(self._items[place].confidence for place in chosen)
            for path, chosen in found.items()
        }
        return {path: found[path] for path in sorted(found, key=lambda path: (best[path], path))}

    def _files(self) -> list[Shown]:
        return [self._draw(path, chosen) for path, chosen in self._chosen().items()]

    def _draw(self, path: str, places: Sequence[int]) -> Shown:
        """Returns what is shown of a file, which one step more or less seldom changes."""
        details = self._state.details
        key = path, tuple([(place, details[place]) for place in places])
        shown = self._drawn.get(key)
        if shown is None:
            chosen = [(self._items[place], details[place]) for place in places]
            shown = self._drawn[key] = Shown(
                path=path,
                text="\n".join(outline(self._sight, path, chosen)),
                lines=span(self._sight, path, chosen),
                prose=all(item.kind in ("guideline", "readme") for item, _ in chosen),
            )
        return shown

    def _told(self, files: Sequence[Shown], tokens: int) -> Context:
        for place, item in enumerate(self._items):
            if place not in self._state.details and not self._inside(place):
                level = self._next(place)
                self.leave(item, "over budget", self._size(place, level) if level else 0)
        passages = [
            self._passage(place)
            for chosen in self._chosen().values()
            for place in chosen
            if not self._inside(place)
        ]
        parts = self._page.parts(files)
        return Context(
            text="".join(part.text for part in parts),
            parts=tuple(parts),
            tokens=tokens,
            budget=self._budget,
            exact=self._page.counter.exact,
            passages=tuple(passages),
            left_out=tuple(self._biggest()),
            counts=dict(self._reasons),
        )

    def _biggest(self) -> list[LeftOut]:
        """Returns what is named of what is left out: what is nowhere, then what is longest."""
        longest = heapq.nsmallest(NAMED, self._left, key=lambda each: -each[2])
        rest = [
            LeftOut(
                source=item.source or f"{item.path}:{item.first}-{item.last}",
                kind=item.kind,
                reason=reason,
                tokens=tokens,
            )
            for item, reason, tokens in longest
        ]
        return [*self._lost, *rest][:NAMED]

    def _passage(self, place: int) -> Passage:
        item, detail = self._items[place], self._state.details[place]
        if item.ordinal < 0:
            lines: list[str] | None = self._text(place)[0]
        else:
            lines = self._sight.shown(item.path, item.ordinal, detail)
        assert lines is not None
        first, last = reach(self._sight, item, detail)
        where = f"{item.path}:{first}-{last}" if first else item.path
        return Passage(
            source=item.source or where,
            path=item.path,
            first=first,
            last=last,
            kind=item.kind,
            detail=detail,
            text="\n".join(lines),
            tokens=self._size(place, detail),
            why=item.why,
            confidence=round(item.confidence, 4),
        )
