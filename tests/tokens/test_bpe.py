"""Text to ids and back: nothing lost, nothing forged, the same everywhere."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from codewright.errors import DataError
from codewright.tokens import bpe
from codewright.tokens.bpe import Stream, Tokenizer
from codewright.tokens.layout import FIRST_MERGE
from codewright.tokens.special import END, SLOTS, SPECIAL, TOOL_RESPONSE_END
from tests.tokens.strategies import broken, documents, surrogates, texts


@pytest.fixture(scope="session")
def library(tokenizer):
    """The library's own tokenizer, which takes a text at once and remembers no pieces."""
    inner = tokenizers.Tokenizer.from_str(tokenizer._text)
    inner.encode_special_tokens = True
    return inner


@given(documents)
def test_any_bytes_come_back(tokenizer, data):
    ids = tokenizer.encode(data)
    assert tokenizer.decode_bytes(ids) == data
    assert b"".join(map(tokenizer.token_bytes, ids)) == data
    assert all(SLOTS <= token < tokenizer.vocabulary for token in ids)
    assert tokenizer.decode(ids) == data.decode("utf-8", "replace")


@given(surrogates)
def test_a_lone_surrogate_is_the_bytes_it_would_be(tokenizer, text):
    data = text.encode("utf-8", "surrogatepass")
    assert tokenizer.encode(text) == tokenizer.encode(data)
    assert tokenizer.decode_bytes(tokenizer.encode(text)) == data


@given(texts)
def test_text_is_encoded_as_the_library_does_it_whole(tokenizer, library, text):
    ids = tokenizer.encode(text)
    assert ids == library.encode(text, add_special_tokens=False).ids
    assert ids == tokenizer.encode(text.encode())


@given(st.lists(texts | broken | surrogates, max_size=6))
def test_a_batch_is_each_by_itself_on_any_number_of_cores(tokenizer, batch):
    expected = [tokenizer.encode(each) for each in batch]
    with pytest.MonkeyPatch.context() as patch:
        for cores in (1, 99):
            patch.setattr(bpe, "CORES_THAT_PAY", cores)
            assert tokenizer.encode_batch(batch) == expected


def test_what_is_remembered_is_bounded_and_changes_nothing(tokenizer, sources, monkeypatch):
    monkeypatch.setattr(bpe, "MOST_KEPT", 50)
    small = Tokenizer(tokenizer._text)
    assert [small.encode(text) for text in sources] == [tokenizer.encode(t) for t in sources]
    assert len(small._pieces) <= 50


def test_source_code_is_the_same_in_transformers(tokenizer, sources, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    for text in [*sources, "naïve 中文\r\n\t😀 = [1_000, 'é']\n\n\n    end"]:
        ids = tokenizer.encode(text)
        assert theirs(text, add_special_tokens=False)["input_ids"] == ids
        assert theirs(text)["input_ids"] == ids
        assert theirs.decode(ids) == text
    for place, name in enumerate(SPECIAL):
        assert theirs.convert_tokens_to_ids(name) == place
        # There, unlike here, such text becomes the token: its users arrange tokens as text.
        assert theirs(name)["input_ids"] == [place]


def test_no_text_becomes_a_special_token(tokenizer):
    for text in ["".join(SPECIAL), "\n".join(SPECIAL), "<|endoftext|>" * 3, "<tool_call>\n{}"]:
        ids = tokenizer.encode(text)
        assert min(ids) >= SLOTS
        assert tokenizer.decode(ids) == text
        assert tokenizer.encode_batch([text]) == [ids]


def test_special_tokens_have_no_bytes_unless_they_are_to_be_seen(tokenizer):
    ids = [END, *tokenizer.encode("a"), TOOL_RESPONSE_END]
    assert tokenizer.decode(ids) == "a"
    assert tokenizer.decode(ids, special=True) == "<|endoftext|>a</tool_response>"
    assert tokenizer.token_bytes(END) == b""


def test_the_layout_is_special_tokens_bytes_merges(tokenizer):
    assert len(SPECIAL) == len(set(SPECIAL)) == SLOTS == 32
    assert [tokenizer.token_bytes(SLOTS + byte) for byte in range(256)] == [
        bytes([byte]) for byte in range(256)
    ]
    merged = [tokenizer.token_bytes(token) for token in range(FIRST_MERGE, tokenizer.vocabulary)]
    assert all(len(each) > 1 for each in merged)
    assert len(set(merged)) == len(merged)
    assert tokenizer.vocabulary == 1500
    assert tokenizer.lengths_V.tolist() == [0] * 32 + [1] * 256 + [len(each) for each in merged]


def test_the_same_texts_give_the_same_file(tokenizer, sources, tmp_path):
    again = Tokenizer.train(iter(sources), vocabulary=1500)
    again.save(tmp_path / "deep" / "tokenizer.json")
    written = (tmp_path / "deep" / "tokenizer.json").read_bytes()
    assert hashlib.sha256(written).hexdigest() == tokenizer.sha256 == again.sha256
    loaded = Tokenizer.load(tmp_path / "deep" / "tokenizer.json")
    assert loaded.sha256 == tokenizer.sha256
    assert loaded.encode(sources[0]) == tokenizer.encode(sources[0])


def test_a_larger_vocabulary_goes_on_where_the_smaller_one_ends(tokenizer, sources):
    small = Tokenizer.train(sources, vocabulary=700)
    for token in range(small.vocabulary):
        assert small.token_bytes(token) == tokenizer.token_bytes(token)


def test_training_takes_what_there_is():
    assert Tokenizer.train([], vocabulary=1000).vocabulary == FIRST_MERGE
    told: list[int] = []
    odd = Tokenizer.train(["ab\ud800ab ab", "é"], vocabulary=FIRST_MERGE + 2, advance=told.append)
    assert told == [8, 1]
    assert odd.token_bytes(FIRST_MERGE) == b"ab"
    with pytest.raises(DataError, match="too small"):
        Tokenizer.train([], vocabulary=FIRST_MERGE - 1)


def broken_files(tokenizer: Tokenizer) -> dict[str, str]:
    """Files that are no tokenizer of this package, each for another reason."""
    good = json.loads(tokenizer._text)

    def changed(**parts: object) -> str:
        return json.dumps(good | parts)

    vocabulary = good["model"]["vocab"]
    swapped = vocabulary | {"a": vocabulary["b"], "b": vocabulary["a"]}
    renamed = [each | {"content": f"<x{each['id']}>"} for each in good["added_tokens"]]
    split = {"type": "Split", "pattern": {"Regex": "a+"}, "behavior": "Isolated", "invert": False}
    return {
        "not JSON": "{",
        "JSON of something else": '{"model": 3}',
        "special tokens of another kind": changed(added_tokens=renamed),
        "bytes in another order": changed(model=good["model"] | {"vocab": swapped}),
        "another pattern": changed(pre_tokenizer=split),
        "no pattern": changed(pre_tokenizer=None),
        "a normaliser": changed(normalizer={"type": "NFKC"}),
    }


def test_another_tokenizer_is_refused(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    for why, text in broken_files(tokenizer).items():
        path.write_text(text)
        with pytest.raises(DataError, match=r"tokenizer\.json") as caught:
            Tokenizer.load(path)
        assert caught.value.hint, why
    with pytest.raises(DataError, match="does not exist"):
        Tokenizer.load(tmp_path / "none.json")


def test_what_other_tools_set_changes_no_ids(tokenizer, sources, tmp_path):
    library = tokenizers.Tokenizer.from_str(tokenizer._text)
    library.enable_padding(pad_id=4, length=9999)
    library.enable_truncation(3)
    begun = f"{SPECIAL[END]} $A"
    library.post_processor = TemplateProcessing(single=begun, special_tokens=[(SPECIAL[END], END)])
    library.save(str(tmp_path / "t.json"))
    loaded = Tokenizer.load(tmp_path / "t.json")
    for cores in (1, 99):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bpe, "CORES_THAT_PAY", cores)
            assert loaded.encode_batch(sources[:3]) == tokenizer.encode_batch(sources[:3])
    assert loaded.encode("é = 1") == tokenizer.encode("é = 1")


@given(documents, st.booleans())
def test_a_stream_of_single_tokens_gives_the_whole(tokenizer, data, special):
    ids = [END, *tokenizer.encode(data), END]
    stream = Stream(tokenizer, special=special)
    parts = [stream.push(token) for token in ids]
    assert "".join(parts) + stream.finish() == tokenizer.decode(ids, special=special)


@given(texts)
def test_a_stream_never_shows_half_a_character(tokenizer, text):
    # Every byte by itself is the worst split that there is.
    stream = Stream(tokenizer)
    shown = ""
    for place, byte in enumerate(text.encode(), start=1):
        shown += stream.push(SLOTS + byte)
        assert shown == text.encode()[:place].decode("utf-8", "ignore")
    assert shown + stream.finish() == text


def test_a_stream_waits_no_longer_than_it_has_to(tokenizer):
    stream = Stream(tokenizer)
    pushed = [stream.push(SLOTS + byte) for byte in b"a\xe2\x82b\xf0\x9f\x98\x80\xe2"]
    assert pushed == ["a", "", "", "\ufffdb", "", "", "", "😀", ""]
    assert stream.finish() == "\ufffd"


@settings(max_examples=5)
@given(
    st.sampled_from(["_", "a", "A", " ", "\n", "(", "1", "é", "\u0301", "_ ", "Aa", "(_", "\t\n"])
)
def test_no_text_takes_more_than_linear_time(tokenizer, part):
    began = time.process_time()
    text = part * (200_000 // len(part)) + "x"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert time.process_time() - began < 5
