"""What a model should be shown of a repository, for a cursor or for a task, within a hard budget.

For a cursor: definitions that it may need (`gather.py`, weighed by `evidence.py`), calls of what it
stands in, methods of the same name beside its class, tests of what it is in, and how the project
writes (`habits.py`). For a task: what a search for its words finds, what those definitions use, and
the beginning of the README. `fill.py` chooses among them by worth for tokens.

The open file itself is not shown: whoever asks has it. Nothing here opens an index or a tokenizer,
and nothing of the repository is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from codewright.repo import examples, habits, tasks
from codewright.repo.around import Around, Read, around
from codewright.repo.counting import remembered
from codewright.repo.evidence import Evidence, Weights, learned
from codewright.repo.exports import Exports
from codewright.repo.faces import CALLED, CLASSES, Faces
from codewright.repo.fill import LEAST, Fill, Page
from codewright.repo.fitting import Fitting
from codewright.repo.gather import Gather
from codewright.repo.index import Index
from codewright.repo.lookup import Lookup
from codewright.repo.manner import Manner
from codewright.repo.passages import Item, Sight
from codewright.repo.places import Place
from codewright.repo.said import Said
from codewright.repo.search import Hit, Searcher
from codewright.repo.similar import Similar
from codewright.types.context import Context, Detail, Query

FEW_LINES = 40
"""A definition of more lines is not shown whole."""
MADE = 0.6
"""The chance that a class's `__init__` is needed where the class is."""

_CALLABLE = CALLED | CLASSES

Worth = tuple[tuple[Detail, float], ...]
More = Callable[[Around, Lookup], Sequence[Item]]


class _Known(NamedTuple):
    """What is worked out over one state."""

    lookup: Lookup
    similar: Similar
    fitting: Fitting
    exports: Exports
    faces: Faces


class RepositoryContext:
    """A `Retriever` over an index; what it works out is remembered while the state stays.

    Args:
        index: the repository.
        read: reads the open file, which may not be what was indexed.
        manner: for which model.
        weights: of the evidence; those that come along by default.
        more: gives items from elsewhere, such as installed libraries.
        find: finds for a task; by words and names by default.
    """

    def __init__(
        self,
        index: Index,
        read: Read,
        manner: Manner,
        *,
        weights: Weights | None = None,
        more: More | None = None,
        find: tasks.Find | None = None,
    ) -> None:
        self._index, self._read, self._manner = index, read, manner
        self._weights = weights or learned()
        self._count = remembered(manner.counter.count)
        self._more = more
        self._find = find or self._search
        self._said = Said()
        self._guidelines = habits.Guidelines(index.root)
        self._state = ""
        self._known: _Known | None = None

    def retrieve(self, query: Query, budget: int) -> Context:
        """Returns what is shown for a query, at most `budget` tokens of it.

        Raises:
            CodewrightError: the index cannot be read.
        """
        lookup, similar, fitting, exports, faces = self._names()
        sight = Sight(faces)
        items: list[Item] = []
        unresolved: list[str] = []
        unlikely = 0
        seen: Around | None = None
        if query.path:
            known = sight.facts(query.path)
            seen = around(self._read, query.path, query.before, query.after, known, self._said)
            gather = Gather(lookup, similar, fitting, exports, seen)
            likely, unlikely = self._definitions(gather.run(), lookup)
            items += likely
            unresolved = gather.unresolved
            items += examples.examples(self._index, lookup, sight, seen)
            if self._more is not None:
                items += self._more(seen, lookup)
        if query.task:
            items += tasks.found(self._index, lookup, sight, query.task, query.path, self._find)
            items += habits.readme(self._index)
        items += self._guidelines.items()
        page = Page(
            form=self._manner.form,
            counter=self._manner.counter,
            count=self._count,
            name=self._manner.name,
            open_path=query.path,
        )
        items = [item for item in items if item.path != query.path]
        fill = Fill(items, sight, page, budget, visible=seen.text if seen else "")
        fill.missing(unresolved, unlikely)
        return fill.context()

    def _search(self, text: str, limit: int) -> Sequence[Hit]:
        return Searcher(self._index).search(text, limit=limit)

    def _names(self) -> _Known:
        state = self._index.state
        if self._known is None or self._state != state:
            lookup = Lookup(self._index)
            faces = Faces(lookup, self._count)
            self._known = _Known(lookup, Similar(lookup), Fitting(lookup), Exports(lookup), faces)
            self._state = state
        return self._known

    def _definitions(self, found: dict[Place, Evidence], lookup: Lookup) -> tuple[list[Item], int]:
        """Returns what may be shown, and how many are too unlikely."""
        spaces = {place.path: lookup.space(place.path) for place in found}
        chance_of = self._weights.chance
        chances = {place: chance_of(each.features) for place, each in found.items()}
        for place, chance in list(chances.items()):
            if chance > LEAST and spaces[place.path].is_class(place.ordinal):
                # Whoever makes one needs to know with what.
                for ordinal in spaces[place.path].named(place.ordinal, "__init__")[:1]:
                    made = Place(place.path, ordinal)
                    if made not in found:
                        found[made] = Evidence(made, why="makes what may be made", kind="call")
                    chances[made] = max(chances.get(made, 0.0), MADE * chance)
        items, unlikely = [], 0
        for place, evidence in found.items():
            chance = chances[place]
            if chance < LEAST:
                unlikely += 1
                continue
            definition = spaces[place.path].definitions[place.ordinal]
            long = definition.end - definition.first >= FEW_LINES
            items.append(
                Item(
                    path=place.path,
                    ordinal=place.ordinal,
                    first=definition.first,
                    last=definition.end,
                    kind=evidence.kind,
                    why=evidence.why,
                    confidence=chance,
                    worth=worth(callable_=definition.kind in _CALLABLE, long=long),
                )
            )
        return items, unlikely


def worth(*, callable_: bool, long: bool) -> Worth:
    """Returns what the levels of a definition are worth beside its signature."""
    if not callable_:
        return (("signature", 0.6), ("head", 0.65))
    if long:
        return (("signature", 1.0), ("head", 1.08))
    return (("signature", 1.0), ("head", 1.08), ("whole", 1.4))
