"""The kernels in C against torch: every shape, every build, and the same whatever stands beside."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.kernels import BUILDS, needs_kernels

from codewright.engine import library
from codewright.engine.engine import Engine
from codewright.engine.native import NativeRunner, unfit
from codewright.engine.runner import Step
from codewright.engine.sampling import Sampling
from codewright.engine.scheduler import Limits
from codewright.engine.sequence import Ask
from codewright.engine.stops import Stops
from codewright.errors import ConfigError, DataError, MissingKernels
from codewright.model import checkpoint
from codewright.model.config import (
    AttentionConfig,
    ExpertsConfig,
    FeedForwardConfig,
    ModelConfig,
    RotaryConfig,
)
from codewright.model.stored import Stored
from codewright.model.transformer import Decoder

VOCABULARY, CONTEXT, LENGTH = 301, 128, 100
pytestmark = needs_kernels


def shape(attention: dict | None = None, inner: dict | None = None, **rest) -> ModelConfig:
    heads = {"heads": 4, "kv_heads": 2, "head_dim": 16, **(attention or {})}
    return ModelConfig(
        vocabulary=VOCABULARY,
        context=CONTEXT,
        layers=3,
        width=64,
        attention=AttentionConfig(**heads),
        feed_forward=FeedForwardConfig(**{"width": 96, **(inner or {})}),
        **rest,
    )


SHAPES = {
    "llama": shape(),
    "gpt": shape(
        {"qkv_bias": True, "out_bias": True, "kv_heads": 4},
        {"activation": "gelu_tanh", "bias": True},
        norm="layer",
        tied=False,
    ),
    "one key, a window": shape({"kv_heads": 1, "window": 37, "window_from": 1}),
    "stretched": shape(
        {"qk_norm": True, "head_dim": 48},
        {"activation": "gelu"},
        rotary=RotaryConfig(scaling="llama3", factor=4, original_context=32),
    ),
    "wide heads": shape({"head_dim": 128, "heads": 2}),
}


@pytest.fixture(scope="module", params=SHAPES)
def made(request, tmp_path_factory) -> tuple[Path, Decoder]:
    """A checkpoint, and the same in torch. Weights are large enough to tell things apart."""
    torch.manual_seed(1)
    model = Decoder(SHAPES[request.param]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.normal_(0.5, 0.3)
            else:
                parameter.mul_(3)
    folder = tmp_path_factory.mktemp("model") / "checkpoint"
    checkpoint.save(folder, model)
    return folder, model


class Reader:
    """Reads one text through a runner, in blocks that lie anywhere."""

    def __init__(self, runner: NativeRunner, ids: np.ndarray) -> None:
        self.runner, self.ids = runner, ids.astype(np.int32)
        self.tables = np.random.default_rng(0).permutation(8)[None].astype(np.int32)

    def read(self, *borders: int) -> np.ndarray:
        """Returns the logits after every token, read in the pieces between the borders."""
        found = []
        for begin, end in pairwise(borders):
            count = end - begin
            step = Step(
                ids_T=self.ids[begin:end],
                position_T=np.arange(begin, end, dtype=np.int32),
                table_T=np.zeros(count, np.int32),
                tables_SB=self.tables,
                wanted_R=np.arange(count, dtype=np.int32),
            )
            found.append(self.runner.forward(step).copy())
        return np.concatenate(found)


@pytest.mark.parametrize("build", BUILDS)
def test_logits_are_those_of_torch_however_they_are_read(made, build: str):
    folder, model = made
    ids = torch.randint(0, VOCABULARY, (1, LENGTH), generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        exact = model.logits(model(ids).hidden_BTD)[0].numpy()
    scale = np.abs(exact).max()
    for precision, most in (("float32", 1e-5), ("bfloat16", 0.06), ("int8", 0.25)):
        runner = NativeRunner(Stored(folder), precision=precision, blocks=8, threads=2, build=build)
        reader = Reader(runner, ids[0].numpy())
        whole = reader.read(0, LENGTH)
        assert np.abs(whole - exact).max() < most * scale
        # Bit for bit: what a text gets does not depend on how it is read.
        np.testing.assert_array_equal(reader.read(0, 37, 38, 41, LENGTH), whole)
        np.testing.assert_array_equal(reader.read(*range(LENGTH + 1)), whole)
        runner.close()


def test_int8_of_int8_is_what_is_stored(made, tmp_path: Path):
    """Weights that are stored in int8 are not rounded a second time."""
    folder, model = made
    checkpoint.save(tmp_path / "int8", model, storage="int8")
    ids = np.arange(60) * 7 % VOCABULARY
    read = []
    for place in (folder, tmp_path / "int8"):
        runner = NativeRunner(Stored(place), precision="int8", blocks=8)
        read.append(Reader(runner, ids).read(0, 60))
        runner.close()
    # Scales are stored with 16 significant bits, so the two differ a little.
    assert np.std(read[0] - read[1]) < 0.06 * np.std(read[0])


def test_texts_do_not_depend_on_company_pieces_threads_or_guesses(made):
    folder, _ = made
    random = np.random.default_rng(5)
    prompts = [random.integers(0, VOCABULARY, length).tolist() for length in (1, 16, 17, 40)]
    prompts += [prompts[-1][:33], prompts[-1]]

    def write(limits: Limits, blocks: int, threads: int, guesses: int) -> list[list[int]]:
        runner = NativeRunner(Stored(folder), precision="int8", blocks=blocks, threads=threads)
        engine = Engine(runner, [b"x"] * VOCABULARY, (0,), limits=limits, guesses=guesses)
        texts = []
        for place, prompt in enumerate(prompts):
            sampling = Sampling(temperature=0.9 * (place % 2), top_p=0.95)
            ask = Ask(prompt=prompt, room=30, sampling=sampling, stops=Stops([]), count=3, seed=9)
            texts += engine.add(ask)
        while engine.busy:
            engine.step()
        runner.close()
        return [text.ids for text in texts]

    alone = write(Limits(rows=1, tokens=1), blocks=8, threads=1, guesses=0)
    assert write(Limits(rows=32, tokens=512), blocks=200, threads=5, guesses=0) == alone
    assert write(Limits(rows=7, tokens=29), blocks=21, threads=2, guesses=4) == alone


def test_many_candidates_of_few_tokens(made):
    """More logits are wanted than rows are read; who finds no place reads the prompt later."""
    folder, _ = made
    warm = Sampling(temperature=1.0)

    def write(count: int, seed: int, rows: int) -> list[list[int]]:
        runner = NativeRunner(Stored(folder), precision="int8", blocks=400)
        engine = Engine(runner, [b"x"] * VOCABULARY, (), limits=Limits(rows=rows, tokens=512))
        ask = Ask(prompt=[5, 6], room=4, sampling=warm, stops=Stops([]), count=count, seed=seed)
        texts = engine.add(ask)
        while engine.busy:
            engine.step()
        runner.close()
        return [text.ids for text in texts]

    alone = [write(1, seed, 1)[0] for seed in range(0, 200, 7)]
    assert write(200, 0, 256)[::7] == alone
    assert write(200, 0, 16)[::7] == alone


def test_weights_that_are_no_numbers_are_told(tmp_path: Path):
    broken = Decoder(SHAPES["llama"])
    with torch.no_grad():
        broken.norm.weight.fill_(float("nan"))
    checkpoint.save(tmp_path / "broken", broken)
    for temperature in (0.0, 0.8):
        runner = NativeRunner(Stored(tmp_path / "broken"), precision="bfloat16", blocks=8)
        engine = Engine(runner, [b"x"] * VOCABULARY, ())
        how = Sampling(temperature=temperature, top_p=0.9)
        engine.add(Ask(prompt=[1, 2, 3], room=4, sampling=how, stops=Stops([])))
        with pytest.raises(DataError, match="not numbers"):
            engine.step()
        runner.close()


def test_greedy_is_torchs_greedy(made):
    folder, model = made
    prompt = (np.arange(20) * 13 % VOCABULARY).tolist()
    runner = NativeRunner(Stored(folder), precision="float32", blocks=8, threads=1)
    engine = Engine(runner, [b"x"] * VOCABULARY, ())
    (text,) = engine.add(Ask(prompt=prompt, room=40, sampling=Sampling(), stops=Stops([])))
    while engine.busy:
        engine.step()
    runner.close()
    ids = list(prompt)
    with torch.inference_mode():
        while len(ids) < 60:
            hidden = model(torch.tensor([ids])).hidden_BTD[0, -1]
            ids.append(int(model.logits(hidden).argmax()))
    assert text.ids == ids


def test_what_does_not_fit_is_refused(made, tmp_path: Path):
    folder, _ = made
    assert "experts" in unfit(shape(experts=ExpertsConfig(count=4, active=2)))
    assert "head_dim" in unfit(shape({"head_dim": 8}))
    assert "width" in unfit(shape(None, {"width": 100}))
    odd = Decoder(shape({"head_dim": 8}))
    checkpoint.save(tmp_path / "odd", odd)
    with pytest.raises(ConfigError, match="head_dim is 8"):
        NativeRunner(Stored(tmp_path / "odd"), blocks=4)
    half = tmp_path / "half"
    half.mkdir()
    for path in folder.iterdir():
        data = path.read_bytes()
        kept = data[: len(data) // 2] if path.suffix == ".safetensors" else data
        (half / path.name).write_bytes(kept)
    with pytest.raises(DataError, match="broken"):
        NativeRunner(Stored(half), blocks=4)
    with pytest.raises(MissingKernels, match="no build 'abacus'"):
        library.find("abacus")


def test_kernels_of_other_sources_are_not_run(tmp_path: Path):
    """Somebody changed a source and forgot to install again."""
    program = (
        "from pathlib import Path; from codewright.engine import library as l;"
        f"f = Path({str(tmp_path)!r}); l.FOLDER, l.LIBRARY = f, f / 'kernels.so'; l.find()"
    )

    def said() -> str:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        return done.stderr

    assert "were not built" in said()
    for path in library.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert said() == ""
    (tmp_path / "simd.h").write_text((tmp_path / "simd.h").read_text() + "/* changed */\n")
    assert "of other sources" in said()
