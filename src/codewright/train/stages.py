"""From a recipe to a scored model, stage by stage, each made once.

    corpus  tokenizer  pack  train        FOLDER/corpus/  tokenizer.json  packed/  training/
    repack  lengthen  (where wanted)      FOLDER/packed-long/  training-long/
    score                                 FOLDER/score.json
    FOLDER/stamps.jsonl                   what each product was made from

A stage is left out when its product is there and was made from the same table of the recipe and
the same products of the stages that it needs. A tokenizer, rows and scores that were made from
other settings are made anew without asking; a corpus and a training run, which took hours, are
refused instead, and only `restart` throws them away.

The tools of the earlier stages are imported when a stage needs them.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from codewright import console
from codewright.corpus.loader import HELD, PACK, Loader
from codewright.errors import ConfigError, DataError
from codewright.files import RowLog, json_text, parse_row, read_bytes, write_whole
from codewright.train.recipe import PackConfig, Recipe

if TYPE_CHECKING:
    from codewright.train.plan import Plan
    from codewright.types.document import Document

Stage = Literal["corpus", "tokenizer", "pack", "train", "repack", "lengthen", "score"]
STAGES: tuple[Stage, ...] = get_args(Stage)
LENGTHENING: tuple[Stage, ...] = ("repack", "lengthen")
"""The stages that a recipe has only with a `[lengthen]` table."""
NEEDS: dict[Stage, tuple[Stage, ...]] = {
    "corpus": (),
    "tokenizer": ("corpus",),
    "pack": ("corpus", "tokenizer"),
    "train": ("corpus", "tokenizer", "pack"),
    "repack": ("corpus", "tokenizer", "pack"),
    "lengthen": ("corpus", "tokenizer", "pack", "train", "repack"),
    "score": ("corpus", "tokenizer", "pack", "train", "repack", "lengthen"),
}
"""The stages whose products decide what a stage makes, with those that these need."""
STAMPS = "stamps.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One stage. made: false where its product was there. facts: what is worth telling."""

    stage: Stage
    made: bool
    finished: bool
    seconds: float
    facts: dict[str, Any]


class Workshop:
    """The stages of one recipe in one folder."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        *,
        benchmarks: Path | None = None,
        stop_after: float | None = None,
        restart: Stage | None = None,
    ) -> None:
        """Opens the folder.

        Args:
            benchmarks: the data that the corpus is to be kept clean of.
            stop_after: seconds after which training saves and stops.
            restart: forget this stage's product, and those of the stages that need it.
        """
        self._recipe, self._folder = recipe, folder
        self._benchmarks, self._stop_after = benchmarks, stop_after
        self._forgotten = [s for s in STAGES if restart and restart in (s, *NEEDS[s])]
        longer = bool(recipe.lengthen.context)
        self._stages = tuple(stage for stage in STAGES if longer or stage not in LENGTHENING)
        self.corpus, self.tokenizer = folder / "corpus", folder / "tokenizer.json"
        self.packed, self.training = folder / "packed", folder / "training"
        self.packed_long, self.training_long = folder / "packed-long", folder / "training-long"
        self.score = folder / "score.json"
        self._places: dict[Stage, Path] = {
            "corpus": self.corpus,
            "tokenizer": self.tokenizer,
            "pack": self.packed,
            "train": self.training,
            "repack": self.packed_long,
            "lengthen": self.training_long,
            "score": self.score,
        }
        # What is scored in the end.
        self._last = (
            (self.packed_long, self.training_long) if longer else (self.packed, self.training)
        )

    def run(self, last: Stage = "score") -> Iterator[Done]:
        """Makes what is missing up to the stage `last`, and yields each stage when it is done.

        Ends early where training was stopped.

        Raises:
            ConfigError: the recipe has no stage `last`.
            DataError: a product is damaged, or a corpus or run was made from other settings.
        """
        if last not in self._stages:
            raise ConfigError(f"the recipe has no stage {last}", hint="set lengthen.context")
        with RowLog(self._folder / STAMPS) as log:
            stamps = {row["stage"]: row for _, row in log.rows}
            for stage in self._stages[: self._stages.index(last) + 1]:
                if stage in self._forgotten:
                    self._forget(stage)
                    stamps.pop(stage, None)
                stamp = self._stamp(stage)
                known = stamps.get(stage)
                if known is not None and known["stamp"] == stamp and self._product(stage).exists():
                    yield Done(
                        stage=stage, made=False, finished=True, seconds=0.0, facts=known["facts"]
                    )
                    continue
                began = time.monotonic()
                facts = self._make(stage)
                seconds = round(time.monotonic() - began, 1)
                finished = bool(facts.get("finished", True))
                if finished:
                    log.append({"stage": stage, "stamp": stamp, "facts": facts})
                yield Done(stage=stage, made=True, finished=finished, seconds=seconds, facts=facts)
                if not finished:
                    return

    def _product(self, stage: Stage) -> Path:
        """Returns the file that is there when a stage is done; its bytes stand for the product."""
        from codewright.corpus import shards

        place = self._places[stage]
        if stage in ("train", "lengthen"):
            from codewright.train import state
            from codewright.train.pretrain import CHECKPOINTS

            newest = state.latest(place / CHECKPOINTS)
            return place / "none" if newest is None else newest / state.TRAINING
        inside = {"corpus": shards.INDEX, "pack": PACK, "repack": PACK}
        return place / inside[stage] if stage in inside else place

    def _stamp(self, stage: Stage) -> str:
        """Returns the hash of what a stage's product is made from."""
        tables: dict[Stage, Any] = {
            "corpus": [asdict(self._recipe.corpus), self._benchmarks is not None],
            "tokenizer": asdict(self._recipe.tokenizer),
            "pack": asdict(self._recipe.pack),
            "train": [asdict(self._recipe.model), asdict(self._recipe.train)],
            "repack": self._recipe.lengthen.context,
            "lengthen": asdict(self._recipe.lengthen),
            "score": asdict(self._recipe.score),
        }
        needed = [self._product(each) for each in NEEDS[stage] if each in self._stages]
        made_from = [hashlib.sha256(read_bytes(product)).hexdigest() for product in needed]
        text = json.dumps([tables[stage], made_from], default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _forget(self, stage: Stage) -> None:
        place = self._places[stage]
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def _make(self, stage: Stage) -> dict[str, Any]:
        wanted = self._recipe.pack
        makers: dict[Stage, Callable[[], dict[str, Any]]] = {
            "corpus": self._make_corpus,
            "tokenizer": self._make_tokenizer,
            "pack": lambda: self._make_packed(self.packed, wanted),
            "train": self._train,
            "repack": lambda: self._make_packed(
                self.packed_long,
                # Cut and turned in other places than before.
                replace(wanted, context=self._recipe.lengthen.context, seed=wanted.seed + 1),
            ),
            "lengthen": self._lengthen,
            "score": self._make_score,
        }
        return makers[stage]()

    def _make_corpus(self) -> dict[str, Any]:
        from codewright.corpus.build import build

        made = build(self._recipe.corpus, self.corpus, benchmarks=self._benchmarks)
        dropped = {
            f"{step['step']}: {reason}": files
            for step in made["steps"]
            for reason, (files, _) in step["drops"].items()
        }
        return {"files": made["files"], "bytes": made["bytes"], "dropped": dropped}

    def _make_tokenizer(self) -> dict[str, Any]:
        from codewright.corpus import shards
        from codewright.tokens.bpe import Tokenizer

        wanted = self._recipe.tokenizer
        if wanted.file is not None:
            learned = Tokenizer.load(wanted.file)
        else:
            size = sum(shard["bytes"] for shard in shards.index(self.corpus))
            chosen = sample(shards.read(self.corpus), size, wanted.sample_bytes)
            with console.progress("learning a tokenizer", total=size, unit="bytes") as told:
                learned = Tokenizer.train(
                    (document.text for document in chosen),
                    vocabulary=wanted.vocabulary,
                    advance=told.advance,
                )
        learned.save(self.tokenizer)
        return {"vocabulary": learned.vocabulary, "sha256": learned.sha256}

    def _make_packed(self, folder: Path, wanted: PackConfig) -> dict[str, Any]:
        from codewright.corpus import shards
        from codewright.corpus.pack import pack
        from codewright.tokens.bpe import Tokenizer

        size = sum(shard["bytes"] for shard in shards.index(self.corpus))
        with console.progress("packing", total=size, unit="bytes") as told:
            facts = pack(
                apart(shards.read(self.corpus), wanted.held),
                Tokenizer.load(self.tokenizer),
                folder,
                context=wanted.context,
                fim_rate=wanted.fim_rate,
                spm_rate=wanted.spm_rate,
                seed=wanted.seed,
                file_bytes=wanted.file_bytes,
                held=wanted.held,
                mix=wanted.mix,
                advance=told.advance,
            )
        told_of = ("rows", "tokens", "bytes", "padding", "fim_pieces")
        return {name: facts[name] for name in told_of} | {"held_rows": facts["held"]["rows"]}

    def _train(self) -> dict[str, Any]:
        return self._pretrain(self._plan(), self.packed, self.training)

    def _lengthen(self) -> dict[str, Any]:
        from codewright.train import state
        from codewright.train.plan import plan
        from codewright.train.pretrain import CHECKPOINTS, BudgetConfig

        before, wanted = self._plan(), self._recipe.lengthen
        start = state.latest(self.training / CHECKPOINTS)
        assert start is not None, "training comes first"
        rows = max(1, before.train.batch * before.model.context // wanted.context)
        train = replace(
            before.train,
            batch=rows,
            piece=-(-rows * before.train.piece // before.train.batch),
            start=start,
            budget=BudgetConfig(tokens=wanted.tokens),
            schedule=wanted.schedule,
        )
        shape = replace(self._recipe.model, depth=before.model.layers)
        settled = plan(shape, train, Loader(self.packed_long, batch=1, seed=0).facts)
        return self._pretrain(settled, self.packed_long, self.training_long)

    def _plan(self) -> Plan:
        from codewright.train.plan import plan

        facts = Loader(self.packed, batch=1, seed=0).facts
        return plan(self._recipe.model, self._recipe.train, facts)

    def _pretrain(self, settled: Plan, packed: Path, training: Path) -> dict[str, Any]:
        from codewright.train.pretrain import pretrain

        for line in settled.lines():
            console.say(line)
        trained = pretrain(
            settled.train,
            settled.model,
            packed,
            training,
            tokenizer=self.tokenizer,
            stop_after=self._stop_after,
        )
        return {
            "checkpoint": str(trained.checkpoint.relative_to(self._folder)),
            "parameters": settled.model.parameters(),
            "step": trained.step,
            "steps": trained.steps,
            "finished": trained.finished,
            "held": trained.held,
        }

    def _make_score(self) -> dict[str, Any]:
        from codewright.model import checkpoint
        from codewright.train import state
        from codewright.train.pretrain import CHECKPOINTS
        from codewright.train.score import score, total

        packed, training = self._last
        best = state.best(training / CHECKPOINTS)
        if best is None:
            raise DataError(f"{training} holds no checkpoint", hint="train first")
        facts: dict[str, Any] = {"checkpoint": str(best.relative_to(self._folder))}
        if parse_row(read_bytes(packed / HELD), str(packed / HELD))["rows"]:
            model, _ = checkpoint.load(best)
            groups = score(
                model,
                packed,
                pad=int(Loader(packed, batch=1, seed=0).facts["pad"]),
                batch=self._recipe.score.batch,
                precision=self._recipe.train.compute.precision,
            )
            facts["held_out"] = total(groups).to_dict()
            facts["groups"] = [group.to_dict() for group in groups]
        write_whole(self.score, json_text(facts))
        return facts


def sample(documents: Iterable[Document], size: int, wanted: int | None) -> Iterator[Document]:
    """Yields a part of `documents` that has about `wanted` of their `size` bytes, evenly spread."""
    taken = passed = 0
    for document in documents:
        passed += len(document.text.encode("utf-8", "surrogatepass"))
        if wanted is None or taken < wanted * passed / max(size, 1):
            taken += len(document.text.encode("utf-8", "surrogatepass"))
            yield document


def apart(documents: Iterable[Document], held: float | Sequence[str]) -> Iterator[Document]:
    """Makes each directory that `held` names (`python/json`) a distribution of its own.

    What is kept from training is whole distributions, and of a corpus that is one of them, such as
    the standard library, nothing could be kept.
    """
    from codewright.corpus.pack import group

    patterns = () if isinstance(held, float) else [each for each in held if "/" in each]
    for document in documents:
        name = group(document)
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            _, _, version = document.origin.partition("==")
            path = "/".join(PurePosixPath(document.path).parts[1:])
            yield replace(document, origin=f"{name}=={version}", path=path)
        else:
            yield document
