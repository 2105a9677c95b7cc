"""How good is a choice among 100 programs, and does its confidence mean what it says?

    python bench/selection.py            everything, about half an hour on two cores
    python bench/selection.py --fit      the same, and the package's weights are learned anew

164 x 100 programs that CodeGen-16B wrote for HumanEval, and the tests that it wrote, without the
docstrings' examples (Chen et al. 2022, CodeT). Hidden tests score a choice and nothing else:
weights are learned on half of the problems and used on the other half, both ways round, for several
draws of the halves. What was observed is kept in the folder, so that a second run takes a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.selecting import data, experiments, speed, tables

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "selection.json"
WEIGHTS = ROOT / "src" / "codewright" / "data" / "trust.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "selection")
    parser.add_argument("--draws", type=int, default=10, help="draws of the halves")
    parser.add_argument("--fit", action="store_true", help="write the package's weights")
    parser.add_argument("--no-speed", action="store_true", help="leave the speed out")
    given = parser.parse_args()
    if "CODEWRIGHT_DATA" not in os.environ:
        raise SystemExit("error: the benchmark data are missing\nhint: set CODEWRIGHT_DATA")
    began = time.monotonic()
    known = data.load(given.folder)
    if given.fit:
        fitted = experiments.weights(known)
        WEIGHTS.write_text(json.dumps(fitted, indent=1) + "\n")
        print(f"wrote {WEIGHTS}")
    results = experiments.run(known, draws=given.draws)
    if not given.no_speed:
        results["speed"] = speed.measure(Path(os.environ["CODEWRIGHT_DATA"]) / data.SAMPLES)
    results["seconds"] = {**known.seconds, "bench": round(time.monotonic() - began, 1)}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    tables.put(results, ROOT)
    print(tables.markdown(results))


if __name__ == "__main__":
    main()
