"""One trainer, once: trains a fixed shape on fixed rows in a process of its own, and says how fast.

    python bench/learning/child.py --row trainer --shape 5M --steps 12 --out result.json

Rows: `plain` (the loop of a tutorial: transformers' Llama, AdamW, bf16 autocast), `trainer`
(transformers' Trainer, bf16), `trainer-compiled` (the same with torch_compile), `codewright`.
All take the same shape, the same rows in batches of the same size, AdamW and clipping at 1. The
seconds of the steps after the first `WARM` are reported, all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from learning.work import SHAPES, Shape, rows

WARM = 3
"""Steps that are left out: compiling, first touches of memory."""

RATE, DECAY, CLIP = 1e-3, 0.1, 1.0


def llama(shape: Shape) -> Any:
    """Returns transformers' Llama of a shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        use_cache=False,
    )
    return LlamaForCausalLM(config)


def plain(shape: Shape, data: np.ndarray, steps: int) -> dict[str, Any]:
    """The loop that everybody writes first."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = llama(shape).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    seconds, losses = [], []
    for step in range(steps):
        began = time.perf_counter()
        batch = torch.from_numpy(data[step * shape.batch : (step + 1) * shape.batch]).to(device)
        with torch.autocast(device, torch.bfloat16):
            loss = model(input_ids=batch[:, :-1], labels=batch[:, :-1]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds[WARM:], "loss": losses[-1]}


def trainer(shape: Shape, data: np.ndarray, steps: int, *, compiled: bool) -> dict[str, Any]:
    """transformers' Trainer with the options that its documentation names for speed."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Clock(TrainerCallback):
        """Notes when each step ends."""

        def __init__(self) -> None:
            self.ends: list[float] = []

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.ends.append(time.perf_counter())

    class Rows(torch.utils.data.Dataset):
        """One row an example."""

        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
            ids = torch.from_numpy(data[place, :-1])
            return {"input_ids": ids, "labels": ids}

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=shape.batch,
            max_steps=steps,
            learning_rate=RATE,
            weight_decay=DECAY,
            max_grad_norm=CLIP,
            bf16=True,
            torch_compile=compiled,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
        )
        model = llama(shape)
        told = Trainer(model=model, args=arguments, train_dataset=Rows(), callbacks=[clock]).train()
    seconds = np.diff(clock.ends)[WARM - 1 :].tolist()
    return {"seconds": seconds, "loss": told.training_loss}


def model_config(shape: Shape) -> Any:
    """Returns our config of a shape."""
    from codewright.model.config import AttentionConfig, FeedForwardConfig, ModelConfig

    return ModelConfig(
        vocabulary=shape.vocabulary,
        context=shape.context,
        layers=shape.layers,
        width=shape.width,
        attention=AttentionConfig(
            heads=shape.heads, kv_heads=shape.kv_heads, head_dim=shape.width // shape.heads
        ),
        feed_forward=FeedForwardConfig(width=shape.inner),
    )


def codewright(shape: Shape, data: np.ndarray, steps: int) -> dict[str, Any]:
    """Our loop on a packed folder, with what it writes: metrics every step, one checkpoint."""
    from codewright.train.optim import OptimizerConfig
    from codewright.train.pretrain import BudgetConfig, TrainConfig, WatchConfig, pretrain

    config = TrainConfig(
        batch=shape.batch,
        clip=CLIP,
        budget=BudgetConfig(steps=steps),
        optimizer=OptimizerConfig(name="adamw", rate=RATE, decay=DECAY),
        watch=WatchConfig(evaluate_every=0, save_every=0, tensorboard=False, plot=False),
    )
    with tempfile.TemporaryDirectory() as folder:
        packed, out = Path(folder) / "packed", Path(folder) / "run"
        write_packed(packed, shape, data)
        pretrain(config, model_config(shape), packed, out)
        lines = (out / "metrics.jsonl").read_text().splitlines()
    told = [row for row in map(json.loads, lines) if row["kind"] == "step"]
    return {"seconds": [row["seconds"] for row in told][WARM:], "loss": told[-1]["nll"]}


def write_packed(folder: Path, shape: Shape, data: np.ndarray) -> None:
    """Lays `data` out as packed rows, with none held out."""
    folder.mkdir()
    np.save(folder / "rows-00000.npy", data.astype(np.uint16))
    digest = hashlib.sha256((folder / "rows-00000.npy").read_bytes()).hexdigest()
    facts = {
        "format": 1,
        "context": shape.context,
        "vocabulary": shape.vocabulary,
        "tokenizer_sha256": "",
        "end": 0,
        "pad": 4,
        "tokens": int(data[:, 1:].size),
        "rows": len(data),
        "files": [{"name": "rows-00000.npy", "rows": len(data), "sha256": digest}],
    }
    (folder / "pack.json").write_text(json.dumps(facts))
    (folder / "held.json").write_text(
        json.dumps({"format": 1, "rows": 0, "files": [], "groups": []})
    )


ROWS: dict[str, Callable[[Shape, np.ndarray, int], dict[str, Any]]] = {
    "plain": plain,
    "trainer": lambda shape, data, steps: trainer(shape, data, steps, compiled=False),
    "trainer-compiled": lambda shape, data, steps: trainer(shape, data, steps, compiled=True),
    "codewright": codewright,
}


def main() -> None:
    """Runs the row that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", required=True, choices=ROWS)
    parser.add_argument("--shape", required=True, choices=SHAPES)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    shape = SHAPES[given.shape]
    result = ROWS[given.row](shape, rows(shape, shape.batch * given.steps), given.steps)
    rate = shape.batch * shape.context / float(np.median(result["seconds"]))
    given.out.write_text(json.dumps({**result, "tokens_per_second": rate}))


if __name__ == "__main__":
    main()
