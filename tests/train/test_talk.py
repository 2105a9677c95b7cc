"""What is told of a run: speed, the share of the machine, the plot."""

import torch

from codewright.train import plot
from codewright.train.metrics import Recorder
from codewright.train.peak import KNOWN, peak
from codewright.train.run import Run
from codewright.train.state import Training
from codewright.train.talk import RECENT, Talk, duration

RUN = Run(
    steps=50, tokens_per_step=1000, flops_per_token=2e6, peak=1e9, peak_source="somebody said so"
)


def step(loss=2.0, seconds=4.0):
    return {"loss": loss, "nll": loss, "norm": 1.0, "rate": 0.1, "tokens": 1000, "seconds": seconds}


def test_speed_and_share_are_those_of_the_last_steps_without_the_first(tmp_path):
    with Recorder(tmp_path, step=0, tensorboard=False) as rows:
        talk = Talk(rows, RUN, Training(step=0), plot=None)
        talk.start("compiled", processes=2, device="cpu")
        talk.record("step", 1, step(seconds=500.0))  # compiling
        assert talk.speed() == 0
        talk.record("step", 2, step())
        assert talk.speed() == 250
        assert talk.mfu() == 250 * 2e6 / (1e9 * 2)
        for number in range(3, 3 + RECENT):
            talk.record("step", number, step(seconds=2.0))
        assert talk.speed() == 500
        assert rows.rows[-1]["tokens_per_second"] == 500
        assert talk.training(22).tokens == 22_000
        talk.end(22)
        assert not rows.rows[-1]["finished"]


def test_a_resumed_run_counts_on(tmp_path, capsys):
    with Recorder(tmp_path, step=30, tensorboard=False) as rows:
        before = Training(step=30, tokens=30_000, held=1.5, seconds=60.0)
        talk = Talk(rows, RUN, before, plot=None)
        talk.start("eager", processes=1, device="cpu")
        talk.record("step", 31, step())
        talk.record("step", 32, step())
        assert talk.training(32) == Training(step=32, tokens=32_000, held=1.5, seconds=68.0)
        talk.held(32, {"loss": 1.25, "bits_per_byte": 0.6})
        talk.held(32, None)
        assert talk.last_held == 1.25
    said = capsys.readouterr().err
    assert "going on after step 30 of 50" in said
    assert "step 32: held out 1.2500 nats a token, 0.6000 bits per byte" in said


def test_the_last_line_says_how_fast_it_was(tmp_path, capsys):
    with Recorder(tmp_path, step=0, tensorboard=False) as rows:
        talk = Talk(rows, RUN, Training(step=0), plot=None)
        talk.start("eager", processes=1, device="cpu")
        for number in range(1, 51):
            talk.record("step", number, step())
    assert "step 50 of 50 (100%): loss 2.0000, 250 tokens/s, MFU 50%" in capsys.readouterr().err


def test_time_in_words():
    assert [duration(s) for s in (3.2, 75, 3600 * 5 + 60)] == ["3 s", "1 min 15 s", "5 h 1 min"]


def test_the_plot_is_a_picture_drawn_anew(tmp_path):
    rows = [{"kind": "step", "step": n, **step(4 / n)} for n in range(1, 30)]
    held = [{"kind": "held", "step": n, "loss": 4 / n} for n in (10, 20)]
    path = tmp_path / "loss.png"
    plot.draw(rows[:1], path)
    first = path.read_bytes()
    assert first.startswith(b"\x89PNG")
    plot.draw([*rows, *held], path)
    assert path.read_bytes() != first
    plot.draw([], path)  # nothing to draw, nothing changed
    assert path.read_bytes() != first


def test_the_peak_is_measured_and_says_how():
    found = peak(torch.device("cpu"), "float32")
    assert 1e8 < found.flops < 1e14
    assert "timed" in found.source
    assert KNOWN["H100 PCIe"] < KNOWN["H100"]
