"""What is in an index, counted: languages, kinds of definitions, states, bytes on disk."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from codewright.repo.store import Store


def statistics(store: Store) -> dict[str, Any]:
    """Returns the counts; each file counts, also where several have one content."""
    languages: dict[str, Counter[str]] = {}
    kinds: Counter[str] = Counter()
    times = Counter(file.content for file in store.files())
    first = {file.content: file for file in store.files()}
    for content, count in times.items():
        file, facts = first[content], store.facts(content)
        each = languages.setdefault(file.language, Counter())
        each["files"] += count
        each["lines"] += count * file.lines
        each["bytes"] += count * file.size
        each["definitions"] += count * (len(facts.definitions) - 1)
        each["references"] += count * len(facts.references)
        for definition in facts.definitions[1:]:
            kinds[definition.kind.name.lower()] += count
    total: Counter[str] = sum(languages.values(), Counter())
    columns = ("files", "lines", "bytes", "definitions", "references")
    return {
        "root": str(store.root),
        "place": None if store.place is None else str(store.place),
        "bytes": 0 if store.place is None else on_disk(store.place),
        "languages": {
            name: {key: languages[name][key] for key in columns}
            for name in sorted(languages, key=lambda name: -languages[name]["lines"])
        },
        "all": {key: total[key] for key in columns},
        "kinds": dict(kinds.most_common()),
        "states": [
            {
                "name": state.name,
                "made": state.made,
                "files": state.files,
                "lines": state.lines,
            }
            for state in store.states()
        ],
    }


def on_disk(place: Path) -> int:
    """Returns the bytes of a store's file, with what was not yet written back into it."""
    files = (place, Path(f"{place}-wal"))
    return sum(os.path.getsize(file) for file in files if file.exists())
