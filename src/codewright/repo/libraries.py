"""What installed libraries offer near a cursor, at the version that is installed.

Calls that the open file makes nearby, what is called where the cursor stands in the arguments,
what is imported and not used yet, and behind `library.` its public names: each with its signature
and the first line of its documentation, as its own sources or stubs say it. Libraries are read and
not imported. What the repository defines itself is not looked for here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from codewright.repo.around import HOLE, Around
from codewright.repo.environments import STANDARD
from codewright.repo.faces import CALLED as CALLED_KINDS
from codewright.repo.faces import CLASSES, INDENT, cut
from codewright.repo.facts import Binding, Kind, Use
from codewright.repo.installed import Installed, Library
from codewright.repo.lookup import Lookup
from codewright.repo.passages import Item

MOST = 16
"""Names that are looked up for a cursor."""
MEMBERS = 60
"""Names of one library that are weighed behind a dot."""
REACH = 15
"""Lines at which a call is worth a third of one on the line."""
CALLED, UNUSED, NEAR, BEHIND = 0.95, 0.4, 0.3, 0.6
"""The chance that a signature is needed: of what is being called, of what is imported and not used
yet, of what is called nearby, and of all that may stand behind a dot together."""
STANDARD_SHARE = 0.25
"""The same for the standard library, which every model knows."""
_LEFT = re.compile(r"((?:[^\W\d]\w*\.)+)(\w*)$")


class Libraries:
    """Items out of the libraries of an environment.

    Args:
        library: what is installed.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def __call__(self, here: Around, lookup: Lookup) -> Sequence[Item]:
        """Returns what may be shown for a cursor."""
        if here.facts.language != "python":
            return []
        wanted: dict[str, tuple[float, str]] = {}
        for path, chance, why in self._wanted(here, lookup):
            if chance > wanted.get(path, (0.0, ""))[0]:
                wanted[path] = chance, why
        ranked = sorted(wanted.items(), key=lambda each: (-each[1][0], each[0]))[:MOST]
        found: dict[str, Item] = {}
        for path, (chance, why) in ranked:
            installed = self._library.look_up(path)
            if installed is not None and installed.definition.kind != Kind.MODULE:
                item = self._item(installed, chance, why)
                found.setdefault(item.source, item)
        return list(found.values())

    def _wanted(self, here: Around, lookup: Lookup) -> list[tuple[str, float, str]]:
        """Returns dotted paths outside of the repository, each with a chance and why."""
        found = [
            (path, CALLED / (1 + depth), "its arguments stand here")
            for depth, dotted in enumerate(here.called[:2])
            for path in self._outside(dotted, here, lookup)
        ]
        left = _LEFT.search(here.head)
        if left:
            for path in self._outside(left[1].rstrip("."), here, lookup):
                names = [name for name in self._library.members(path) if name.startswith(left[2])]
                chance, why = BEHIND / max(1, len(names)), f"may stand behind {left[1]}"
                found += [(f"{path}.{name}", chance, why) for name in names[:MEMBERS]]
        for line in here.facts.imports:
            if line.name not in ("", "*") and here.counts[line.alias] < 2:
                paths = self._outside(line.alias, here, lookup)
                found += [(path, UNUSED, "imported, and not used yet") for path in paths]
        for reference in here.facts.references:
            if (
                reference.binding == Binding.IMPORT
                and reference.use == Use.CALL
                and reference.name != HOLE
                and abs(reference.line - here.line) <= 3 * REACH
                and _is_outside(reference.path, here, lookup)
            ):
                chance = NEAR * math.exp(-abs(reference.line - here.line) / REACH)
                found.append((reference.path, chance, "called nearby"))
        return found

    def _outside(self, dotted: str, here: Around, lookup: Lookup) -> list[str]:
        """Returns what a dotted name of the open file means outside of the repository."""
        first, _, rest = dotted.partition(".")
        paths = [f"{path}.{rest}" if rest else path for path in here.space.bound.get(first, ())]
        return [path for path in paths if _is_outside(path, here, lookup)]

    def _item(self, found: Installed, chance: float, why: str) -> Item:
        place = f"{found.distribution}=={found.version}" if found.distribution else "installed"
        share = STANDARD_SHARE if found.distribution == STANDARD else 1.0
        return Item(
            path=place,
            kind="library",
            why=why,
            confidence=chance * share,
            worth=(("whole", 1.0),),
            source=f"{place} {found.path}",
            text="\n".join(self._lines(found)),
        )

    def _lines(self, found: Installed) -> list[str]:
        """Returns a signature with the dotted name, and what its documentation begins with."""
        definition, head = found.definition, cut(found.signature or found.definition.name)
        is_class = definition.kind in CLASSES
        if not is_class and definition.kind not in CALLED_KINDS:
            return [f"{head}  # {found.path}"]
        inner = []
        said = found.doc.strip().partition("\n")[0].strip()
        if said:
            inner.append(f'{INDENT}"""{cut(said)}"""')
        made = self._library.look_up(f"{found.path}.__init__") if is_class else None
        if made is not None and made.distribution != STANDARD:
            inner.append(f"{INDENT}{cut(made.signature)}: ...")
        return [f"{head}:{'' if inner else ' ...'}  # {found.path}", *inner]


def _is_outside(path: str, here: Around, lookup: Lookup) -> bool:
    if path.startswith("."):
        return False
    found = lookup.imported(path, here.path)
    return not found.steps and bool(found.external)
