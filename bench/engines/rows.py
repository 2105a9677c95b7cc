"""The rows of the table: how each tool reads a prompt and continues it.

A row opens a model. Prompts that are all the same are candidates of one prompt, which a tool may
read once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Ids = list[int]


class Asked(Protocol):
    """An opened model."""

    def read(self, prompt: Ids) -> float:
        """Returns the seconds that it takes to read a prompt."""
        ...

    def write(self, prompts: Sequence[Ids], count: int) -> float:
        """Returns the seconds that it takes to write `count` tokens for each prompt, once read."""
        ...

    def logits(self, ids: Ids) -> np.ndarray:
        """Returns the logits after every token."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """label: for the table. scores: whether a perplexity is measured. most: texts at once."""

    label: str
    open: Callable[[Path, int], Asked]
    scores: bool = True
    most: int = 100


class Ours:
    """Codewright's engine."""

    def __init__(self, folder: Path, threads: int, form: str, precision: Any) -> None:
        from codewright.engine.native import NativeRunner
        from codewright.model.stored import Stored

        stored = Stored(folder / form)
        self._runner = NativeRunner(stored, precision=precision, blocks=5000, threads=threads)

    def _engine(self) -> Any:
        from codewright.engine.engine import Engine
        from codewright.engine.scheduler import Limits

        spelled = [b"x"] * self._runner.vocabulary
        return Engine(self._runner, spelled, (), limits=Limits(rows=128, tokens=512))

    def _ask(self, prompt: Ids, room: int, count: int = 1) -> Any:
        from codewright.engine.sampling import Sampling
        from codewright.engine.sequence import Ask
        from codewright.engine.stops import Stops

        # Greedy where texts differ by their prompts, drawn where only chance makes them differ.
        how = Sampling(temperature=0.8 if count > 1 else 0.0)
        return Ask(prompt=prompt, room=room, sampling=how, stops=Stops([]), count=count)

    def read(self, prompt: Ids) -> float:
        engine = self._engine()
        engine.add(self._ask(prompt, 1))
        began = time.perf_counter()
        engine.step()
        return time.perf_counter() - began

    def write(self, prompts: Sequence[Ids], count: int) -> float:
        engine = self._engine()
        same = len(prompts) > 1 and all(prompt == prompts[0] for prompt in prompts)
        texts: list[Any] = []
        if same:
            texts += engine.add(self._ask(prompts[0], count + 1, len(prompts)))
        else:
            for prompt in prompts:
                texts += engine.add(self._ask(prompt, count + 1))
        while any(not text.written for text in texts):
            engine.step()
        before = engine.counts.drawn
        began = time.perf_counter()
        while engine.busy:
            engine.step()
        seconds = time.perf_counter() - began
        # Texts whose prompt was read first have begun to write while others were read.
        return seconds * count * len(prompts) / (engine.counts.drawn - before)

    def logits(self, ids: Ids) -> np.ndarray:
        from codewright.engine.runner import Step

        whole = np.arange(len(ids), dtype=np.int32)
        blocks = np.arange(-(-len(ids) // 16), dtype=np.int32)[None]
        step = Step(
            ids_T=np.array(ids, np.int32),
            position_T=whole,
            table_T=np.zeros_like(whole),
            tables_SB=blocks,
            wanted_R=whole,
        )
        return self._runner.forward(step).copy()


class LlamaCpp:
    """llama.cpp by way of llama-cpp-python's low-level calls: no Python between tokens but ours."""

    def __init__(self, folder: Path, threads: int, form: str) -> None:
        import llama_cpp

        self._c = llama_cpp
        llama_cpp.llama_backend_init()
        # Its talk would mix with ours.
        self._quiet = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._quiet, None)
        how = llama_cpp.llama_model_default_params()
        self._model = llama_cpp.llama_model_load_from_file(
            str(folder / f"{form}.gguf").encode(), how
        )
        self._vocabulary = llama_cpp.llama_vocab_n_tokens(
            llama_cpp.llama_model_get_vocab(self._model)
        )
        self._threads = threads

    def _context(self, texts: int, length: int, *, unified: bool = True) -> Any:
        how = self._c.llama_context_default_params()
        how.n_ctx = texts * length
        how.n_batch = how.n_ubatch = 512
        how.n_seq_max = texts
        how.kv_unified = unified
        how.n_threads = how.n_threads_batch = self._threads
        return self._c.llama_init_from_model(self._model, how)

    def _decode(self, context: Any, rows: Sequence[tuple[int, int, int, bool]]) -> None:
        """Reads rows of (token, position, text, whether its logits are wanted)."""
        batch = self._c.llama_batch_init(len(rows), 0, 1)
        batch.n_tokens = len(rows)
        for place, (token, position, text, wanted) in enumerate(rows):
            batch.token[place], batch.pos[place] = token, position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, text
            batch.logits[place] = wanted
        if self._c.llama_decode(context, batch):
            raise SystemExit("llama.cpp could not decode")
        self._c.llama_batch_free(batch)

    def _drawn(self, context: Any, place: int) -> int:
        found = self._c.llama_get_logits_ith(context, place)
        return int(np.ctypeslib.as_array(found, (self._vocabulary,)).argmax())

    def _read(self, context: Any, prompt: Ids, text: int) -> None:
        for start in range(0, len(prompt), 512):
            part = prompt[start : start + 512]
            last = start + len(part) == len(prompt)
            self._decode(
                context,
                [(t, start + i, text, last and i + 1 == len(part)) for i, t in enumerate(part)],
            )

    def read(self, prompt: Ids) -> float:
        context = self._context(1, len(prompt) + 8)
        began = time.perf_counter()
        self._read(context, prompt, 0)
        self._drawn(context, -1)
        seconds = time.perf_counter() - began
        self._c.llama_free(context)
        return seconds

    def write(self, prompts: Sequence[Ids], count: int) -> float:
        """By one cache for all texts, and by one for each: whichever is faster."""
        return min(self._write(prompts, count, unified=way) for way in (True, False))

    def _write(self, prompts: Sequence[Ids], count: int, *, unified: bool) -> float:
        length = len(prompts[0])
        context = self._context(len(prompts), length + count + 8, unified=unified)
        same = len(prompts) > 1 and all(prompt == prompts[0] for prompt in prompts)
        tokens = []
        for text, prompt in enumerate(prompts):
            if same and text:
                memory = self._c.llama_get_memory(context)
                self._c.llama_memory_seq_cp(memory, 0, text, -1, -1)
                tokens.append((tokens[0] + text) % self._vocabulary)
                continue
            self._read(context, prompt, text)
            tokens.append(self._drawn(context, -1))
        began = time.perf_counter()
        for step in range(count):
            self._decode(
                context, [(token, length + step, text, True) for text, token in enumerate(tokens)]
            )
            tokens = [self._drawn(context, place) for place in range(len(tokens))]
        seconds = time.perf_counter() - began
        self._c.llama_free(context)
        return seconds

    def logits(self, ids: Ids) -> np.ndarray:
        context = self._context(1, len(ids))
        rows = []
        for start in range(0, len(ids), 512):
            part = ids[start : start + 512]
            self._decode(context, [(t, start + i, 0, True) for i, t in enumerate(part)])
            found = self._c.llama_get_logits(context)
            rows.append(np.ctypeslib.as_array(found, (len(part), self._vocabulary)).copy())
        self._c.llama_free(context)
        return np.concatenate(rows)


class Transformers:
    """transformers' generate, in bfloat16."""

    def __init__(self, folder: Path, threads: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(threads)
        self._torch = torch
        self._model = AutoModelForCausalLM.from_pretrained(
            folder / "huggingface", dtype=torch.bfloat16
        ).eval()

    def read(self, prompt: Ids) -> float:
        ids = self._torch.tensor([prompt])
        began = time.perf_counter()
        with self._torch.inference_mode():
            self._model(ids, logits_to_keep=1)
        return time.perf_counter() - began

    def write(self, prompts: Sequence[Ids], count: int) -> float:
        ids = self._torch.tensor(prompts)
        asked = {"do_sample": False, "eos_token_id": None, "pad_token_id": 0}
        seconds = []
        for length in (1, count + 1):
            began = time.perf_counter()
            with self._torch.inference_mode():
                self._model.generate(ids, max_new_tokens=length, min_new_tokens=length, **asked)
            seconds.append(time.perf_counter() - began)
        return seconds[1] - seconds[0]

    def logits(self, ids: Ids) -> np.ndarray:
        with self._torch.inference_mode():
            return self._model(self._torch.tensor([ids])).logits[0].float().numpy()


ROWS = {
    "llama.cpp q4_0": Row("llama.cpp q4_0", lambda f, t: LlamaCpp(f, t, "q4_0")),
    "llama.cpp q8_0": Row("llama.cpp q8_0", lambda f, t: LlamaCpp(f, t, "q8_0")),
    "llama.cpp bf16": Row("llama.cpp bf16", lambda f, t: LlamaCpp(f, t, "bf16")),
    "transformers": Row("transformers {transformers}, bf16", Transformers, most=32),
    "codewright bf16": Row("**codewright** bf16", lambda f, t: Ours(f, t, "float32", "bfloat16")),
    "codewright int8": Row("**codewright** int8", lambda f, t: Ours(f, t, "int8", "int8")),
}
