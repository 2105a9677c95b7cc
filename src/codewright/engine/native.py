"""The runner in C, for the CPU: no torch is needed to run a model that fits it.

Weights are int8 with a scale for each output channel and activations int8 with a scale for each
row, or both are bfloat16, or both float32; there is no arithmetic in four bits, and a checkpoint
that is stored so is multiplied out when it is read. Keys and values are kept in bfloat16, with
float32 weights in float32. Sums of a row are taken in the same order whatever rows stand beside it:
what a sequence gets does not depend on the batch, on how its prompt was cut, or on whose blocks it
shares.

Not every model fits: see `unfit`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from codewright.engine import library
from codewright.engine.library import PANEL, Batch, Library, Shape, address
from codewright.engine.runner import BLOCK, Floats, Ints, Step
from codewright.errors import ConfigError, MachineError
from codewright.model.config import ModelConfig
from codewright.model.frequencies import tables
from codewright.model.packing import multiplied
from codewright.model.stored import Stored, floats

Precision = Literal["float32", "bfloat16", "int8"]

_KINDS = ("float32", "bfloat16", "int8")
_NORMS = ("rms", "layer")
_ACTIVATIONS = ("swiglu", "gelu", "gelu_tanh")
_MATRICES = ("attention.qkv", "attention.out", "feed_forward.up", "feed_forward.down")
_LAYER_VECTORS = (
    *("attention_norm.weight", "attention_norm.bias"),
    *("feed_forward_norm.weight", "feed_forward_norm.bias"),
    *("attention.q_norm.weight", "attention.k_norm.weight"),
)
_LARGEST = 127
_WIDE = 16
"""Measured: int8, one core, 30 M: 8 rows cost 2 to 4 times one row, 32 rows 12 times."""


def unfit(config: ModelConfig) -> str:
    """Returns why a model cannot be run here; empty where it can."""
    attention = config.attention
    if config.experts is not None:
        return "it has experts"
    if attention.head_dim % 16 or attention.head_dim > 256:
        return f"its head_dim is {attention.head_dim}: multiples of 16 up to 256 are known"
    if attention.heads // attention.kv_heads > 16:
        return "more than 16 query heads share a key"
    for name, width in (("width", config.width), ("inner width", config.feed_forward.width)):
        if width % 16:
            return f"its {name} is {width}, no multiple of 16"
    return ""


class NativeRunner:
    """A model in C. Not for several threads at once; it has threads of its own."""

    def __init__(
        self,
        stored: Stored,
        *,
        precision: Precision = "int8",
        blocks: int,
        threads: int = 1,
        build: str = "",
    ) -> None:
        """Takes the weights of a checkpoint.

        Args:
            stored: read anew; nothing is left in it.
            precision: of weights and activations. Weights that are stored in int8 or int4 with
                one scale a row stay what they are, others get the largest magnitude of a row at
                127: weights with groups of scales are multiplied out, and rounded once more.
            blocks: how many blocks of `BLOCK` positions are kept at most.
            threads: that compute, with the one that calls.
            build: the build of the kernels; empty is the fastest.

        Raises:
            ConfigError: the model does not fit.
            DataError: the checkpoint is incomplete.
            MachineError: there are no kernels, or not enough memory.
        """
        config = stored.config
        if reason := unfit(config):
            raise ConfigError(f"the C kernels cannot run this model: {reason}")
        self._library = found = library.find(build)
        self._calls = found.calls
        self.name = f"native ({found.name}, {precision})"
        self.vocabulary, self.context = config.vocabulary, config.context
        self.blocks, self.block_size, self.wide = blocks, BLOCK, _WIDE
        self._logits_RV = np.empty((0, 0), np.float32)
        shape = _shape(config, precision)
        self._model = found.calls.cw_model_new(ctypes.byref(shape))
        if not self._model:
            raise MachineError(f"no memory for {config.layers} layers")
        try:
            _fill(found, self._model, stored, precision)
        except BaseException:  # boundary: what C holds is given back, then the error goes on
            found.calls.cw_model_free(self._model)
            raise
        self._cache = found.calls.cw_cache_new(self._model, blocks)
        if not self._cache:
            found.calls.cw_model_free(self._model)
            raise MachineError(f"no memory for {blocks} blocks of keys and values")
        self._pool = found.calls.cw_pool_new(threads)

    def forward(self, step: Step) -> Floats:
        """Reads the rows of a step; see `Runner`."""
        arrays = (step.ids_T, step.position_T, step.table_T, step.tables_SB, step.wanted_R)
        assert all(array.dtype == np.int32 for array in arrays)
        assert not len(step.position_T) or int(step.position_T.max()) < self.context
        count, stride = len(step.wanted_R), -(-self.vocabulary // PANEL) * PANEL
        if len(self._logits_RV) < count:
            self._logits_RV = np.empty((count, stride), np.float32)
        ids, positions, table, blocks, wanted = (address(array) for array in arrays)
        batch = Batch(
            rows=len(step.ids_T),
            ids=ids,
            positions=positions,
            table=table,
            tables=blocks,
            stride=step.tables_SB.shape[1],
            count=count,
            wanted=wanted,
            logits=address(self._logits_RV),
        )
        done = self._calls.cw_forward(
            self._library.build, self._model, self._cache, ctypes.byref(batch), self._pool
        )
        if not done:
            raise MachineError(f"no memory for a step of {len(step.ids_T)} tokens")
        return self._logits_RV[:count, : self.vocabulary]

    def copy_blocks(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Copies blocks; see `Runner`."""
        for source, copy in pairs:
            self._calls.cw_cache_copy(self._model, self._cache, source, copy)

    def draw(self, logits_RV: Floats, manners_R: NDArray[Any]) -> tuple[Ints, Floats]:
        """Draws tokens from what `forward` returned; see `Runner`."""
        assert logits_RV.base is self._logits_RV
        count = len(logits_RV)
        ids_R, scores_R = np.empty(count, np.int32), np.empty(count, np.float32)
        self._calls.cw_sample(
            self._library.build,
            logits_RV.ctypes.data,
            count,
            logits_RV.shape[1],
            self._logits_RV.shape[1],
            address(manners_R),
            address(ids_R),
            address(scores_R),
            self._pool,
        )
        return ids_R, scores_R

    def close(self) -> None:
        """Gives memory and threads back. The runner cannot be used any more."""
        if self._model is None:
            return
        self._calls.cw_pool_free(self._pool)
        self._calls.cw_cache_free(self._cache)
        self._calls.cw_model_free(self._model)
        self._model = None


def _shape(config: ModelConfig, precision: Precision) -> Shape:
    attention, feed_forward = config.attention, config.feed_forward
    return Shape(
        layers=config.layers,
        width=config.width,
        heads=attention.heads,
        kv_heads=attention.kv_heads,
        head_dim=attention.head_dim,
        inner=feed_forward.width,
        vocabulary=config.vocabulary,
        context=config.context,
        kind=_KINDS.index(precision),
        norm=_NORMS.index(config.norm),
        activation=_ACTIVATIONS.index(feed_forward.activation),
        tied=config.tied,
        eps=config.norm_eps,
    )


def _fill(found: Library, model: int, stored: Stored, precision: Precision) -> None:
    """Gives the weights to C."""
    config = stored.config
    attention, feed_forward, width = config.attention, config.feed_forward, config.width
    heads = attention.heads * attention.head_dim
    rows = heads + 2 * attention.kv_heads * attention.head_dim
    up = feed_forward.width * (2 if feed_forward.activation == "swiglu" else 1)
    sizes = ((rows, width), (width, heads), (up, width), (width, feed_forward.width))
    biases = (attention.qkv_bias, attention.out_bias, feed_forward.bias, feed_forward.bias)
    layered = config.norm == "layer"
    present = (True, layered, True, layered, attention.qk_norm, attention.qk_norm)
    lengths = (*[width] * 4, *[attention.head_dim] * 2)

    def matrix(layer: int, which: int, name: str, size: tuple[int, int], *, bias: bool) -> None:
        values, scale = _weights(*stored.take(f"{name}.weight", size), precision)
        added = floats(stored.take(f"{name}.bias", size[:1])[0]) if bias else None
        taken = found.calls.cw_model_matrix(
            *(model, found.build, layer, which, *size),
            *(address(values), address(scale), address(added)),
        )
        if not taken:
            raise MachineError(f"no memory for {name}")

    def vector(layer: int, which: int, values: NDArray[np.float32]) -> None:
        found.calls.cw_model_vector(model, layer, which, address(values), values.size)

    matrix(-1, 0, "embedding", (config.vocabulary, width), bias=False)
    for layer in range(config.layers):
        for which, (name, size) in enumerate(zip(_MATRICES, sizes, strict=True)):
            matrix(layer, which, f"layers.{layer}.{name}", size, bias=biases[which])
        for which, name in enumerate(_LAYER_VECTORS):
            if present[which]:
                taken, _ = stored.take(f"layers.{layer}.{name}", (lengths[which],))
                vector(layer, which, floats(taken))
        found.calls.cw_model_window(model, layer, config.window(layer) or 0)
    vector(-1, 0, floats(stored.take("norm.weight", (width,))[0]))
    if layered:
        vector(-1, 1, floats(stored.take("norm.bias", (width,))[0]))
    if not config.tied:
        matrix(-1, 1, "head", (config.vocabulary, width), bias=False)
    for which, table in enumerate(tables(config.rotary, attention.head_dim, config.context)):
        vector(-1, 2 + which, np.ascontiguousarray(table, dtype=np.float32))
    stored.finish()


def _weights(
    values: NDArray[Any], scale: NDArray[np.float32] | None, precision: Precision
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Returns the weights as C takes them: int8 with scales of rows, or float32."""
    exact = floats(values) if scale is None else multiplied(values, scale)
    if precision != "int8":
        return exact, None
    if scale is not None and scale.shape[1] == 1:
        return np.ascontiguousarray(values), np.ascontiguousarray(scale[:, 0])
    largest = np.abs(exact).max(axis=-1, keepdims=True)
    scale = (largest / np.float32(_LARGEST)).astype(np.float32)
    whole = np.rint(exact / np.where(scale == 0, np.float32(1), scale))
    return whole.astype(np.int8), np.ascontiguousarray(scale[:, 0])
