"""No step is missing or told twice, wherever a run was cut off."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import DataError
from codewright.train.metrics import METRICS, Recorder


def rows(folder):
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


@given(st.lists(st.integers(0, 9), max_size=4), st.binary(max_size=30))
def test_cut_anywhere_and_resumed_every_step_is_there_once(tmp_path_factory, cuts, torn):
    folder = tmp_path_factory.mktemp("run")
    done = 0
    for cut in [*cuts, 10]:
        # A run is resumed at a checkpoint that may lie before the last row that was written.
        with Recorder(folder, step=done, tensorboard=False) as log:
            for step in range(done + 1, 11):
                log.write("step", step, {"loss": 1.0 / step})
                if step == 10 and cut == 10:
                    log.write("end", step, {})
        with (folder / METRICS).open("ab") as file:
            file.write(torn.replace(b"\n", b""))
        done = cut
    with Recorder(folder, step=10, tensorboard=False) as log:
        assert [row["step"] for row in log.rows if row["kind"] == "step"] == list(range(1, 11))
    assert [row["step"] for row in rows(folder)] == list(range(1, 11))


def test_begun_anew_nothing_of_the_old_run_stays(tmp_path):
    for _ in range(2):
        with Recorder(tmp_path, step=0, tensorboard=False) as log:
            log.write("start", 0, {})
            log.write("step", 1, {})
    assert [row["kind"] for row in rows(tmp_path)] == ["start", "step"]


def test_two_runs_in_one_folder_are_refused(tmp_path):
    with (
        Recorder(tmp_path, step=0, tensorboard=False),
        pytest.raises(DataError, match="another run is writing"),
    ):
        Recorder(tmp_path, step=0, tensorboard=False)


def test_a_process_that_does_not_lead_writes_nothing(tmp_path):
    with Recorder(tmp_path, step=0, tensorboard=True, writes=False) as log:
        log.write("step", 1, {"loss": 1.0})
    assert not list(tmp_path.iterdir())


def test_tensorboard_gets_the_numbers(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with Recorder(tmp_path, step=0, tensorboard=True) as log:
        log.write("step", 1, {"loss": 2.0, "device": "cpu"})
        log.write("step", 2, {"loss": 1.5})
        log.write("held", 2, {"loss": 1.75})
    with Recorder(tmp_path, step=1, tensorboard=True) as log:
        log.write("step", 2, {"loss": 1.25})
    seen = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in seen.Scalars("step/loss")] == [(1, 2.0), (2, 1.25)]
    assert seen.Scalars("held/loss") == []  # what was measured at step 2 is gone too
