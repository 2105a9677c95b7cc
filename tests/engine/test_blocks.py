"""Blocks under random use: nobody's block is given away, known prefixes are what they say."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from codewright.engine.blocks import ROOT, Blocks


class Use(RuleBasedStateMachine):
    """Holders of tables of blocks, as sequences are; and what each block should hold."""

    @initialize(count=st.integers(1, 12), size=st.integers(1, 3))
    def begin(self, count: int, size: int) -> None:
        self.blocks = Blocks(count, size)
        self.tables: list[tuple[list[int], list[int], int]] = []  # blocks, tokens, prefix
        self.content: dict[int, tuple[int, ...]] = {}  # all tokens up to a sealed block's end

    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        """A text of a small alphabet: its known beginning is found, the rest computed."""
        size = self.blocks.size
        ids = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=4 * size))
        ids = ids[: len(ids) // size * size]
        table, prefix = self.blocks.match(ids)
        for place, block in enumerate(table):
            assert self.content[block] == tuple(ids[: (place + 1) * size])
        while len(table) * size < len(ids):
            block = self.blocks.take()
            if block is None:
                break
            end = (len(table) + 1) * size
            assert all(block not in other for other, _, _ in self.tables)
            assert block not in table
            self.content[block] = tuple(ids[:end])
            table.append(block)
            prefix = self.blocks.seal(block, prefix, ids[end - size : end])
            assert prefix != ROOT
        self.tables.append((table, ids, prefix))

    @precondition(lambda self: self.tables)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        table, _, _ = self.tables.pop(data.draw(st.integers(0, len(self.tables) - 1)))
        for block in reversed(table):
            self.blocks.release(block)

    @precondition(lambda self: self.tables)
    @rule()
    def known_at_once(self) -> None:
        """What somebody holds is found again, the very blocks or equal ones."""
        table, ids, _ = self.tables[-1]
        found, _ = self.blocks.match(ids)
        assert len(found) >= len(table)
        for block in found:
            self.blocks.release(block)

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "tables"):
            return
        held = {block for table, _, _ in self.tables for block in table}
        assert self.blocks.available == self.blocks.count - len(held)


Use.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_blocks = Use.TestCase
