"""What a run tells while it goes: rows, a line now and then, the plot.

The rows of metrics.jsonl:

    start  compiled, processes, peak, peak_source, steps
    step   loss, nll, norm, rate, tokens, seconds: means over the step's targets, in nats
    held   loss, bits_per_byte
    end    how the run stands

Nothing here computes a loss.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codewright import console
from codewright.train import plot
from codewright.train.metrics import Recorder
from codewright.train.run import Run
from codewright.train.state import Training

LINE_EVERY = 5.0
"""Seconds between two lines of progress, at first; later a twentieth of the time that has gone."""
RECENT = 20
"""Steps that speed is measured over."""


class Talk:
    """Keeps what a run measured, and says it."""

    def __init__(self, rows: Recorder, run: Run, before: Training, *, plot: Path | None) -> None:
        self._rows, self._run, self._plot = rows, run, plot
        self._tokens, self._seconds = before.tokens, before.seconds
        self._recent: list[tuple[float, float]] = []
        self._since = time.monotonic()
        self._next = self._since + console.SHOW_AFTER
        self.last_held = before.held
        self._begun = before.step

    def start(self, compiled: str, *, processes: int, device: str) -> None:
        """Writes the row that opens a run, or a resumed one."""
        self._processes = processes
        told = {
            "compiled": compiled,
            "processes": processes,
            "device": device,
            "steps": self._run.steps,
            "peak": self._run.peak,
            "peak_source": self._run.peak_source,
        }
        self._rows.write("start", self._begun, told)
        if self._rows.writes and self._begun:
            console.say(f"going on after step {self._begun} of {self._run.steps}")

    def record(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Writes a step, and says how things stand now and then."""
        self._tokens += int(values["tokens"])
        self._seconds += values["seconds"]
        # The first step of a process compiles, which says nothing about the speed.
        if step > self._begun + 1 or len(self._recent):
            self._recent = [*self._recent, (values["tokens"], values["seconds"])][-RECENT:]
        speed = self.speed()
        told: dict[str, Any] = dict(values)
        if speed:
            told["tokens_per_second"] = round(speed, 1)
            told["mfu"] = round(self.mfu(), 4)
        self._rows.write(kind, step, told)
        now = time.monotonic()
        if self._rows.writes and (now >= self._next or step == self._run.steps):
            self._next = now + max(LINE_EVERY, (now - self._since) / 20)
            console.say(self._line(step, values["loss"]))

    def held(self, step: int, values: Mapping[str, float] | None) -> None:
        """Writes what an evaluation measured, and draws the plot anew."""
        if values is not None:
            self.last_held = values["loss"]
            self._rows.write("held", step, values)
            if self._rows.writes:
                console.say(
                    f"step {step}: held out {values['loss']:.4f} nats a token, "
                    f"{values['bits_per_byte']:.4f} bits per byte"
                )
        if self._plot is not None and self._rows.writes:
            plot.draw(self._rows.rows, self._plot)

    def end(self, step: int) -> None:
        """Writes how the run stands when the process leaves it."""
        told = {
            "finished": step == self._run.steps,
            "tokens": self._tokens,
            "train_seconds": round(self._seconds, 3),
            "flops": self._tokens * self._run.flops_per_token,
        }
        self._rows.write("end", step, told)

    def training(self, step: int) -> Training:
        """Returns what the checkpoint of a step keeps."""
        return Training(step=step, tokens=self._tokens, held=self.last_held, seconds=self._seconds)

    def speed(self) -> float:
        """Returns the tokens per second of the last steps, 0 where none is known yet."""
        seconds = sum(seconds for _, seconds in self._recent)
        return sum(tokens for tokens, _ in self._recent) / seconds if seconds else 0.0

    def mfu(self) -> float:
        """Returns the share of the machine's peak that the model's operations make up."""
        return self.speed() * self._run.flops_per_token / (self._run.peak * self._processes)

    def _line(self, step: int, loss: float) -> str:
        steps, speed = self._run.steps, self.speed()
        line = f"step {step} of {steps} ({step / steps:.0%}): loss {loss:.4f}"
        if speed:
            left = (steps - step) * self._run.tokens_per_step / speed
            line += f", {speed:,.0f} tokens/s, MFU {self.mfu():.0%}, {duration(left)} left"
        return line


def duration(seconds: float) -> str:
    """Returns a time in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
