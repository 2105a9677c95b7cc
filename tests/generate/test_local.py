"""A model on this machine: against reading everything anew for each token, and its promises."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from codewright.engine.sequence import Sequence
from codewright.errors import ConfigError, DataError, UserError
from codewright.generate.healing import Healing
from codewright.generate.layout import Layout, lay_out
from codewright.generate.local import LocalGenerator
from codewright.generate.local_model import LocalModel
from codewright.generate.settings import Arrangement, Local, RunnerName
from codewright.model import checkpoint
from codewright.model.transformer import Decoder
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.layout import FIRST_MERGE
from codewright.tokens.special import SLOTS
from codewright.types.generation import Completion, Message, Request
from tests.generate.tiny import CONTEXT, make
from tests.kernels import RUNNERS, needs_kernels

EXACT = {
    name: Local(precision="float32", device="cpu", runner=name) for name in ("native", "torch")
}
PROMPTS = [
    Request(prompt="def add(a, b):\n"),
    Request(prompt="class Parser:\n    def parse(self, te"),
    Request(prompt=""),
    Request(prompt="import textwrap\n" * 60),
    Request(prompt="def add(a, b):\n    return ", suffix="\n\n\ndef sub(a, b):\n"),
]


@pytest.fixture(scope="module")
def decoder(tiny: Path) -> Decoder:
    return checkpoint.load(tiny)[0].eval()


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> Tokenizer:
    return Tokenizer.load(tiny / "tokenizer.json")


@pytest.fixture(scope="module", params=RUNNERS)
def model(request, tiny: Path) -> LocalGenerator:
    return LocalGenerator(tiny, EXACT[request.param])


def asked(request: Request, **changes) -> Request:
    settings = {"max_tokens": 40, "temperature": 0.9, "top_p": 0.95, "seed": 11}
    fields = {name: getattr(request, name) for name in ("prompt", "suffix")}
    return Request(**{**fields, **settings, **changes})


def texts(completions: list[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def slowly(decoder: Decoder, tokenizer: Tokenizer, laid: Layout) -> tuple[bytes, float, int]:
    """Greedy, reading everything anew for each token: the text, its score, its tokens."""
    ids, held, score, text = list(laid.prompt), laid.held, 0.0, b""
    count = 0
    while count < laid.room:
        with torch.no_grad():
            logits = decoder.logits(decoder(torch.tensor([ids])).hidden_BTD)[0, -1]
        if held:
            words = [tokenizer.token_bytes(i) for i in range(tokenizer.vocabulary)]
            fits = [bool(w) and (w.startswith(held) or held.startswith(w)) for w in words]
            logits[~torch.tensor(fits)] = -torch.inf
        token = int(logits.argmax())
        count += 1
        score += logits.double().log_softmax(-1)[token].item()
        ids.append(token)
        if token < SLOTS:
            break
        word = tokenizer.token_bytes(token)
        held, word = held[len(word) :], word[len(held) :]
        text += word
    return text, score, count


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("mode", ["psm", "spm"])
@pytest.mark.parametrize("request_", PROMPTS)
def test_greedy_is_what_reading_anew_gives(
    *,
    tiny: Path,
    decoder: Decoder,
    tokenizer: Tokenizer,
    request_: Request,
    mode: Arrangement,
    runner: RunnerName,
):
    request = asked(request_, temperature=0.0, n=2)
    local = LocalGenerator(tiny, replace(EXACT[runner], fim=mode, guesses=3))
    one, other = local.generate([request])[0]
    laid = lay_out(request, tokenizer, Healing(tokenizer), context=CONTEXT, fim=mode)
    text, score, count = slowly(decoder, tokenizer, laid)
    assert one == other
    assert text.decode("utf-8", "ignore").startswith(one.text.replace("�", ""))
    assert one.tokens == count
    assert one.log_probability == pytest.approx(score, rel=1e-4, abs=1e-3)


def test_a_sample_scores_what_its_tokens_have(
    decoder: Decoder, tokenizer: Tokenizer, model: LocalGenerator, monkeypatch
):
    drawn: list[int] = []
    take = Sequence.take

    def listening(self, token, *arguments):
        drawn.append(token)
        take(self, token, *arguments)

    monkeypatch.setattr(Sequence, "take", listening)
    for seed in range(8):
        request = asked(PROMPTS[4], seed=seed, temperature=1.6, top_p=0.8, stop=("a",))
        laid = lay_out(request, tokenizer, Healing(tokenizer), context=CONTEXT, fim="psm")
        drawn.clear()
        (completion,) = model.generate([request])[0]
        with torch.no_grad():
            hidden = decoder(torch.tensor([laid.prompt + drawn])).hidden_BTD[0]
        scores = decoder.logits(hidden).double().log_softmax(-1)[len(laid.prompt) - 1 : -1]
        wanted = scores.gather(-1, torch.tensor(drawn)[:, None]).sum().item()
        assert completion.log_probability == pytest.approx(wanted, rel=1e-4)
        assert completion.tokens == len(drawn)
        whole = tokenizer.decode(drawn)
        assert completion.text == whole.partition("a")[0]


def test_a_request_gets_the_same_in_any_company(tiny: Path, model: LocalGenerator):
    requests = [asked(request, n=5) for request in PROMPTS]
    together = model.generate(requests)
    alone = [model.generate([request])[0] for request in requests]
    if "native" in model.runner:
        assert alone == together, "bit for bit"
    assert [texts(each) for each in alone] == [texts(each) for each in together]
    exact = EXACT["native" if "native" in model.runner else "torch"]
    narrow = LocalGenerator(tiny, replace(exact, rows=2, guesses=4))
    tight = LocalGenerator(tiny, replace(exact, memory=1))
    assert [texts(each) for each in narrow.generate(requests)] == [texts(e) for e in together]
    assert [texts(each) for each in tight.generate(requests)] == [texts(e) for e in together]
    assert len({text for each in together for text in texts(each)}) > 20


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_draft_model_changes_nothing_but_the_steps(
    tmp_path: Path, tiny: Path, decoder: Decoder, runner: RunnerName
):
    requests = [asked(PROMPTS[place], n=3) for place in (1, 3, 4)]
    plain = LocalModel(tiny, EXACT[runner])
    near = copy.deepcopy(decoder)
    with torch.no_grad():
        for weight in near.parameters():
            weight += 0.002 * torch.randn_like(weight)
    checkpoint.save(tmp_path / "near", near, tiny / "tokenizer.json")

    def write(model: LocalModel) -> list[tuple[list[int], bytes]]:
        texts = [text for each in requests for text in model.engine.add(model.ask(each))]
        while model.engine.busy:
            model.engine.step()
        return [(text.ids, bytes(text.text)) for text in texts]

    wanted = write(plain)
    for memory in (0, 1):
        guessing = LocalModel(tiny, replace(EXACT[runner], memory=memory), draft=tmp_path / "near")
        assert write(guessing) == wanted
        counts = guessing.engine.counts
        assert counts.guessed > counts.right > 0
        assert counts.steps < plain.engine.counts.steps or memory
    other = Tokenizer.train(["other words"], vocabulary=FIRST_MERGE + 4)
    (tmp_path / "near" / "tokenizer.json").unlink()
    other.save(tmp_path / "near" / "tokenizer.json")
    with pytest.raises(ConfigError, match="another tokenizer"):
        LocalModel(tiny, EXACT[runner], draft=tmp_path / "near")


def test_guesses_go_on_behind_what_was_taken_back(tiny: Path):
    """Healing holds the first bytes; behind them, a text is as free as any."""
    model = LocalModel(tiny, Local(precision="float32", runner="torch", guesses=4))
    (text,) = model.engine.add(model.ask(asked(PROMPTS[1], temperature=0.0, max_tokens=150)))
    assert text.constraint is not None
    while model.engine.busy:
        model.engine.step()
    assert text.constraint is None
    assert model.engine.counts.guessed > 0


def test_seeds_go_on_where_a_round_ended(model: LocalGenerator):
    (whole,) = model.generate([asked(PROMPTS[0], n=6, seed=100)])
    (first,) = model.generate([asked(PROMPTS[0], n=2, seed=100)])
    (rest,) = model.generate([asked(PROMPTS[0], n=4, seed=102)])
    assert texts(whole) == texts(first + rest)
    one, other = (model.generate([asked(PROMPTS[0], seed=None)])[0][0] for _ in range(2))
    assert one.text != other.text


def test_a_stop_string_ends_a_text_wherever_tokens_end(model: LocalGenerator):
    request = asked(PROMPTS[0], n=8, max_tokens=60)
    (free,) = model.generate([request])
    for size in (1, 2, 5):
        found = {each.text[9 : 9 + size] for each in free if len(each.text) > 20}
        marks = tuple(sorted(mark for mark in found if mark.isascii()))
        assert marks
        (stopped,) = model.generate([asked(request, n=8, max_tokens=60, stop=("", *marks))])
        for before, after in zip(free, stopped, strict=True):
            end = min(
                (place for mark in marks if (place := before.text.find(mark)) >= 0), default=None
            )
            assert after.text == before.text[:end]
            assert after.finish == ("stop" if end is not None else before.finish)
            assert after.tokens <= before.tokens
            assert after.log_probability >= before.log_probability - 1e-4


def test_the_room_is_kept(model: LocalGenerator):
    for most in (1, 7, 10_000):
        for request in PROMPTS:
            for completion in model.generate([asked(request, n=3, max_tokens=most)])[0]:
                assert 1 <= completion.tokens <= min(most, CONTEXT)
                assert completion.finish in ("stop", "length")
                assert completion.log_probability <= 0
                if completion.finish == "length":
                    assert completion.tokens == most or completion.tokens >= CONTEXT // 2


@pytest.mark.parametrize("runner", RUNNERS)
def test_rows_of_the_table_that_no_token_has_are_never_drawn(tmp_path: Path, runner: RunnerName):
    wide = LocalGenerator(make(tmp_path, spare=500), EXACT[runner])
    (completions,) = wide.generate([asked(PROMPTS[0], n=20, temperature=5.0, top_p=1.0)])
    assert all(completion.tokens for completion in completions)


def test_a_checkpoint_may_say_how_it_is_shown_a_gap(tiny: Path, tmp_path: Path):
    decoder, _ = checkpoint.load(tiny)
    checkpoint.save(tmp_path / "m", decoder, tiny / "tokenizer.json", {"fim": "spm"})
    request = asked(PROMPTS[4], n=3)
    said = {
        (folder, fim): LocalGenerator(
            folder, Local(precision="float32", device="cpu", fim=fim)
        ).generate([request])
        for folder in (tiny, tmp_path / "m")
        for fim in (None, "psm", "spm")
    }
    assert said[tiny, None] == said[tiny, "psm"] == said[tmp_path / "m", "psm"]
    assert said[tmp_path / "m", None] == said[tmp_path / "m", "spm"] == said[tiny, "spm"]
    assert said[tiny, "psm"] != said[tiny, "spm"]


@pytest.mark.parametrize(
    "rough",
    [
        Local(runner="torch", precision="bfloat16", device="cpu"),
        pytest.param(Local(runner="native", precision="bfloat16"), marks=needs_kernels),
        pytest.param(Local(runner="native", precision="int8"), marks=needs_kernels),
    ],
)
def test_small_numbers_write_too(tiny: Path, rough: Local):
    rough = LocalGenerator(tiny, rough)
    (completions,) = rough.generate([asked(PROMPTS[4], n=4)])
    assert any(completion.text for completion in completions)


def test_a_conversation_is_refused(model: LocalGenerator):
    with pytest.raises(UserError, match="continues text") as caught:
        model.generate([Request(messages=(Message(role="user", content="x"),))])
    assert "--complete" in caught.value.hint


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path, tiny: Path):
    with pytest.raises(DataError, match="is no checkpoint"):
        LocalGenerator(tmp_path)
    for path in tiny.iterdir():
        if path.name != "tokenizer.json":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=r"tokenizer\.json does not exist"):
        LocalGenerator(tmp_path)
