"""The repositories that an editor's documents lie in, opened as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from codewright.cli.opening import bare, languages, marked, need_repo, settle
from codewright.types.context import Context, Query
from codewright.write.complete import Cursor

if TYPE_CHECKING:
    from codewright.repo.context import RepositoryContext
    from codewright.repo.store import Store


class EditorRepositories:
    """Contexts for one model. Used by one thread, up to its end."""

    def __init__(self, model: str) -> None:
        """Takes the model as `--model` names it."""
        self._model = model
        self._roots: dict[tuple[Path, tuple[Path, ...]], Path | None] = {}
        self._open: dict[Path, tuple[Store, RepositoryContext]] = {}
        self._stack = ExitStack()

    def retrieve(
        self, path: Path, folders: Sequence[Path], place: Cursor, budget: int
    ) -> Context | None:
        """Returns what the model is shown for a place; see `serve/neighbours.py`."""
        need_repo()
        path = path.resolve()
        key = path.parent, tuple(folders)
        if key not in self._roots:
            self._roots[key] = repository_of(path, folders)
        root = self._roots[key]
        if root is None:
            return None
        known = root in self._open
        store, builder = self._opened(root)
        store.update()
        if not known:
            settle()
        inner = path.relative_to(root).as_posix()
        return builder.retrieve(Query(path=inner, before=place.before, after=place.after), budget)

    def close(self) -> None:
        """Closes all indexes."""
        self._stack.close()
        self._open.clear()

    def _opened(self, root: Path) -> tuple[Store, RepositoryContext]:
        if root not in self._open:
            from codewright.cli.context_manner import builder, manner_of
            from codewright.repo.manner import AUTO

            how = manner_of(self._model, form=AUTO, tokenizer=None, name=root.name)
            store = self._stack.enter_context(bare(root))
            self._open[root] = store, builder(store, languages(), how)
        return self._open[root]


def repository_of(path: Path, folders: Sequence[Path]) -> Path | None:
    """Returns the repository of a file: the nearest folder upwards that looks like one, else the
    innermost folder that the editor has open.

    None for a file by itself, and for one in a folder that git ignores, as installed libraries are.
    """
    from codewright.repo import git

    folder = marked(path.parent)
    if folder is not None:
        return None if folder != path.parent and git.ignored(path.parent) else folder
    inside = [each for each in (each.resolve() for each in folders) if path.is_relative_to(each)]
    # All of a disk is no repository.
    inside = [each for each in inside if each != each.parent]
    return max(inside, key=lambda each: len(each.parts), default=None)
