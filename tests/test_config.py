"""A setting is what was written, of its own type, or a clear error."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.config import load
from codewright.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Limits:
    cpu: float = 10.0
    memory: int | None = 1 << 30

    def __post_init__(self):
        if self.cpu <= 0:
            raise ValueError("cpu must be above 0")


@dataclass(frozen=True, kw_only=True)
class Run:
    name: str = "run"
    workers: int = 2
    strict: bool = True
    level: Literal["isolated", "shared"] = "isolated"
    out: Path = Path("runs")
    k: tuple[int, ...] = (1, 10)
    span: tuple[int, float] = (0, 1.0)
    tags: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    seed: int | str | None = None
    extra: Any = None


@dataclass(frozen=True, kw_only=True)
class Needs:
    model: str
    limits: Limits
    seed: int = 0


TEXT = st.text(st.characters(codec="utf-8"))
RUNS = st.builds(
    Run,
    name=TEXT,
    workers=st.integers(-(2**63), 2**63 - 1),
    strict=st.booleans(),
    level=st.sampled_from(["isolated", "shared"]),
    out=TEXT.filter(lambda text: "\0" not in text).map(Path),
    k=st.lists(st.integers(0, 999)).map(tuple),
    span=st.tuples(st.integers(0, 9), st.floats(allow_nan=False)),
    tags=st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), TEXT),
    limits=st.builds(Limits, cpu=st.floats(0.1, 1e9), memory=st.integers(0, 1 << 50)),
    seed=st.integers(0, 99) | TEXT,
    extra=st.integers(0, 9) | TEXT | st.booleans(),
)


def toml(value: Any) -> str:
    """The plainest possible way to write a value in TOML."""
    match value:
        case bool():
            return str(value).lower()
        case Path() | str():
            return '"' + "".join(f"\\U{ord(c):08x}" for c in str(value)) + '"'
        case tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
        case Limits():
            return toml(dataclasses.asdict(value))
        case _:
            return repr(value)


@given(run=RUNS)
def test_what_is_written_is_read_from_a_file_and_from_overrides_alike(tmp_path_factory, run):
    written = {f.name: toml(getattr(run, f.name)) for f in dataclasses.fields(run)}
    path = tmp_path_factory.mktemp("config") / "run.toml"
    path.write_text("".join(f"{k} = {v}\n" for k, v in written.items()), encoding="utf-8")
    assert load(Run, path) == run
    assert load(Run, None, [f"{k}={v}" for k, v in written.items()]) == run
    # An override of every key hides the file behind it.
    assert load(Run, path, [f"{k}={toml(v)}" for k, v in vars(Run()).items() if v is not None]) == (
        dataclasses.replace(Run(), seed=run.seed, extra=run.extra)
    )


@given(first=st.integers(), second=st.integers())
def test_the_last_override_wins(first, second):
    assert load(Run, None, [f"workers={first}", f"workers={second}"]).workers == second


@given(text=TEXT.map(str.strip).filter(lambda text: "\n" not in text and text[:1] not in "\"'"))
def test_plain_text_is_a_string_where_a_string_is_wanted(text):
    assert load(Run, None, [f"name={text}"]).name == text


def test_defaults_files_and_overrides_combine(tmp_path):
    assert load(Run) == Run()
    path = tmp_path / "run.toml"
    path.write_text('name = "base"\n[limits]\ncpu = 3\n[tags]\na = "x"\n', encoding="utf-8")
    overrides = [
        *("limits.memory = none", "name=3", "out=a b/c", 'seed="7"', "tags.b=y", "k=[5]"),
        *("extra=a=b", "strict=false", "level=shared"),
    ]
    run = load(Run, path, overrides)
    assert run == Run(
        name="3",
        strict=False,
        level="shared",
        out=Path("a b/c"),
        k=(5,),
        tags={"a": "x", "b": "y"},
        limits=Limits(cpu=3.0, memory=None),
        seed="7",
        extra="a=b",
    )
    assert type(run.limits.cpu) is float
    assert load(Run, None, ["seed=7"]).seed == 7
    # A list is no string, so it is taken as the text that it is.
    assert load(Run, None, ["tags.a=[1]"]).tags == {"a": "[1]"}
    assert load(Run, None, ["limits={cpu=2}"]).limits == Limits(cpu=2.0)


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        ("worker=3", "unknown key worker", "did you mean workers? known here: extra, k, level"),
        ("limits.cpus=3", "unknown key limits.cpus", "did you mean cpu? known here: cpu, memory"),
        ("zzz=3", "unknown key zzz", "known here: extra"),
        ("limits.cpu.x=3", "limits.cpu is ", "limits.cpu takes a number"),
        ("workers=2.5", "workers is '2.5'", "workers takes a whole number"),
        ("workers=true", "workers is 'true'", "workers takes a whole number"),
        ('workers="2"', "workers is '\"2\"'", "workers takes a whole number"),
        ("workers=", "workers is ''", "workers takes a whole number"),
        ("workers=1\nstrict=false", "workers is ", "workers takes a whole number"),
        ("strict=1", "strict is '1'", "strict takes true or false"),
        ("strict=yes", "strict is 'yes'", "strict takes true or false"),
        ("level=open", "level is 'open'", "level takes one of isolated, shared"),
        ("limits.memory=lots", "limits.memory is 'lots'", "takes a whole number or none"),
        ("limits.cpu=false", "limits.cpu is 'false'", "limits.cpu takes a number"),
        ("limits.cpu=1" + "0" * 400, "limits.cpu is ", "a number below"),
        ("limits.cpu=-1", "limits: cpu must be above 0", ""),
        ("limits=3", "limits is '3'", "limits takes a table"),
        ("workers=none", "workers is 'none'", "workers takes a whole number"),
        ("k=3", "k is '3'", "k takes a list"),
        ("k=[1, 'x']", "k[1] is 'x'", "k[1] takes a whole number"),
        ("span=[1]", "span is '[1]'", "span takes a list of 2"),
        ("out=a\0b", "out is 'a\\x00b'", "out takes a path"),
        ("workers", "'workers' is not an override", "write KEY=VALUE"),
        ("=3", "'=3' is not an override", "write KEY=VALUE"),
        ("limits..cpu=3", "'limits..cpu=3' is not an override", "write KEY=VALUE"),
    ],
)
def test_a_bad_override_is_named(override, message, hint):
    with pytest.raises(ConfigError) as caught:
        load(Run, None, [override])
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"workers = ", "is not TOML"),
        (b"name = '\xff'", "is not UTF-8"),
        (b"workers = '2'", "workers is '2'"),
        (b"name = 3", "name is 3"),
        (b"[limits]\ncpu = 1\ngpu = 2", "unknown key limits.gpu"),
        (b"[[limits]]\ncpu = 1", "limits is [{'cpu': 1}]"),
        (b"tags = {a = 1}", "tags.a is 1"),
        (b"[other]\n", "unknown key other"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, message):
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(Run, path)
    assert message in caught.value.message


def test_missing_things_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*absent\.toml: No such file"):
        load(Run, tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="model is not set") as caught:
        load(Needs, None, ["seed=1"])
    assert "model, limits" in caught.value.hint
    with pytest.raises(ConfigError, match="limits is a value, so it has no cpu"):
        load(Run, None, ["limits=3", "limits.cpu=4"])
    assert load(Needs, None, ["model=m", "limits.cpu=1"]) == Needs(model="m", limits=Limits(cpu=1))


def test_a_class_with_a_field_that_no_file_can_say_is_a_defect():
    @dataclass(frozen=True)
    class Odd:
        when: complex = 0j

    with pytest.raises(AssertionError, match="complex"):
        load(Odd, None, ["when=1"])
