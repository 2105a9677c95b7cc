"""A checkpoint folder as a generator: `--model FOLDER`, and `embedded`, which comes along.

The candidates of one request are decoded together (`decode.py`), in batches whose size depends on
the request and the machine alone; different requests never share a batch. So the same request with
the same seed gets the same completions, whatever else is asked; and row i of seed s is row 0 of
seed s + i, so that a run may ask for its candidates in pieces.

Batches run side by side, each on one thread: a step of a small model is some hundred operations of
some microseconds, and threads that share each of them spend their time waiting for one another,
above all where other processes want the cores too.

log_probability is the natural log of the model's own distribution, at temperature 1 and without a
nucleus, summed over the tokens that were drawn: the one that ended the text, and those of a stop
string, included. `tokens` counts the same. Where the first bytes were given (`healing.py`) it is
the distribution over the tokens that spell them.

A base model continues text; conversations are refused. Serving many requests at once is no
business of this module.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from codewright.errors import UserError
from codewright.generate.decode import Voice, Wish, decode
from codewright.generate.draw import COLDEST
from codewright.generate.healing import Healing
from codewright.generate.layout import lay_out
from codewright.generate.settings import FIM, Local
from codewright.generate.stops import Stops
from codewright.model import checkpoint
from codewright.tokens.bpe import Tokenizer
from codewright.types.generation import Completion, Request

LEAST_ROWS = 8
"""Candidates that are worth a batch of their own, for which the prompt is read once more."""
CPU_ROWS, GPU_ROWS = 128, 512
"""Candidates of a batch: with more of them, a step takes longer by as much."""
CPU_MEMORY, GPU_MEMORY = 4 << 30, 24 << 30
"""Bytes for keys and values, of all batches together."""


class LocalGenerator:
    """A decoder with its tokenizer, read from a folder."""

    def __init__(self, folder: Path, settings: Local | None = None, *, name: str = "") -> None:
        """Reads the checkpoint.

        Raises:
            DataError: the folder holds no checkpoint, or a broken one.
        """
        self._settings = settings or Local()
        self._device = device = _device(self._settings)
        decoder, extra = checkpoint.load(folder, dtype=_dtype(self._settings, device))
        self._fim = self._settings.fim or ("spm" if extra.get(FIM) == "spm" else "psm")
        self._tokenizer = tokenizer = Tokenizer.load(folder / checkpoint.TOKENIZER)
        self._voice = Voice(
            decoder=decoder.to(device).eval(),
            token_bytes=[tokenizer.token_bytes(token) for token in range(tokenizer.vocabulary)],
            healing=Healing(tokenizer),
        )
        self._workers = self._settings.workers or (
            len(os.sched_getaffinity(0)) if device.type == "cpu" else 1
        )
        self._name = name or f"local/{folder.resolve().name}"

    @property
    def name(self) -> str:
        return self._name

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` completions for each request, in order.

        Raises:
            UserError: a request is a conversation.
        """
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        wishes = [self._wish(request) for request in requests]
        gone = threading.Event()
        threads = torch.get_num_threads()
        pool = ThreadPoolExecutor(self._workers, initializer=torch.set_num_threads, initargs=(1,))
        try:
            waiting = [
                [
                    pool.submit(decode, self._voice, wish, first, count, leave=gone.is_set)
                    for first, count in self._batches(wish, request)
                ]
                for wish, request in zip(wishes, requests, strict=True)
            ]
            for index, (request, parts) in enumerate(zip(requests, waiting, strict=True)):
                said = [completion for part in parts for completion in part.result()]
                yield index, said * (request.n // len(said))
        finally:
            gone.set()
            pool.shutdown(cancel_futures=True)
            # One library below torch takes the last word of any thread for all of them.
            torch.set_num_threads(threads)

    def _batches(self, wish: Wish, request: Request) -> list[tuple[int, int]]:
        """Returns (first row, rows) of each batch; greedy rows are equal, so one is decoded."""
        if request.temperature < COLDEST:
            return [(0, 1)]
        decoder, on_cpu = self._voice.decoder, self._device.type == "cpu"
        attention = decoder.config.attention
        width = 2 * decoder.config.layers * attention.kv_heads * attention.head_dim
        row = wish.layout.room * width * decoder.embedding.weight.element_size()
        memory = self._settings.memory or (CPU_MEMORY if on_cpu else GPU_MEMORY)
        rows = self._settings.rows or (CPU_ROWS if on_cpu else GPU_ROWS)
        most = max(1, min(rows, memory // self._workers // row))
        parts = max(-(-request.n // most), min(self._workers, request.n // LEAST_ROWS))
        share = -(-request.n // max(1, parts))
        return [(first, min(share, request.n - first)) for first in range(0, request.n, share)]

    def _wish(self, request: Request) -> Wish:
        if request.messages:
            raise UserError(
                f"{self._name} continues text, it does not answer in a conversation",
                hint="ask it to continue, with --complete",
            )
        layout = lay_out(
            request,
            self._tokenizer,
            self._voice.healing,
            context=self._voice.decoder.config.context,
            fim=self._fim,
        )
        return Wish(
            layout=layout,
            temperature=request.temperature,
            top_p=request.top_p,
            stops=Stops(request.stop),
            seed=secrets.randbits(64) if request.seed is None else request.seed,
        )


def _device(settings: Local) -> torch.device:
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.device)


def _dtype(settings: Local, device: torch.device) -> torch.dtype:
    if settings.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" or _multiplies_bfloat16() else torch.float32
    return torch.bfloat16 if settings.precision == "bfloat16" else torch.float32


def _multiplies_bfloat16() -> bool:
    """Tells whether the processor has instructions for products of bfloat16."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
