"""Real editors, without a screen, drive `codewright lsp`: an offer appears, typing on takes it
back, and what is accepted stands where it belongs, behind emoji and in files with CRLF.

An editor that is not installed is left out. Debian's packages: vim, vim-ale, neovim, emacs-nox and
elpa-eglot.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.editors.neovim import Neovim

SETUPS = Path(__file__).parent / "editors"
DOC = Path(__file__).parents[2] / "docs" / "lsp.md"
LINES = [
    "def total(values):",
    "    result = 0",
    "    for value in values:",
    '        result["🦊🦊é"] = ',
    "    return result",
    "",
]
TYPED = "val"


@pytest.fixture
def command_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the environment that runs the tests, as an editor finds it."""
    folder = Path(sys.executable).parent
    if not (folder / "codewright").exists():
        pytest.skip("the codewright command is not installed beside this Python")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("command_on_path")
def test_neovim_lists_an_offer_takes_it_back_and_inserts_it(tmp_path: Path):
    if shutil.which("nvim") is None:
        pytest.skip("nvim is not installed")
    said = subprocess.run(["nvim", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"v(\d+)\.(\d+)", said.stdout)
    assert found is not None
    by_itself = (int(found[1]), int(found[2])) >= (0, 11)
    setup = SETUPS / ("neovim_auto.lua" if by_itself else "neovim_list.lua")
    path = tmp_path / "loop.py"
    path.write_bytes("\r\n".join(LINES).encode())
    before = LINES[3] + TYPED
    editor = Neovim(setup, path, tmp_path)
    try:
        # Until the server has started, the editor has nobody to ask.
        ask = "<BS>l" if by_itself else "<C-x><C-o>"
        editor.until(lambda shown: shown["mode"] == "n")
        editor.keys("4GA" + TYPED)
        (word,) = editor.until(lambda shown: shown["words"], again=ask)["words"]
        assert word.startswith(TYPED)
        # Typing on takes the offer back, and nothing of it is in the file.
        editor.keys("q")
        editor.until(lambda shown: shown["line"] == before + "q" and word not in shown["words"])
        editor.keys("<BS>" + ("" if by_itself else "<C-x><C-o>"))
        shown = editor.until(lambda shown: shown["line"] == before and shown["words"], again=ask)
        assert shown["words"] == [word]
        editor.keys("<C-n><C-y><Esc>")
        editor.until(lambda shown: shown["mode"] == "n" and shown["line"] == LINES[3] + word)
        editor.keys(":w<CR>")
        wanted = "\r\n".join([*LINES[:3], LINES[3] + word, *LINES[4:]]).encode()
        editor.until(lambda _: path.read_bytes() == wanted)
    finally:
        editor.close()


EGLOT = """
(setq eglot-sync-connect t eglot-connect-timeout 60)
(find-file "{path}")
(python-mode)
(apply #'eglot--connect (eglot--guess-contact))
(goto-char (point-min))
(forward-line 3)
(end-of-line)
(insert "{typed}")
(let* ((found (eglot-completion-at-point))
       (words (all-completions "{typed}" (nth 2 found))))
  (princ (format "%S\\n" (mapcar #'substring-no-properties words)) #'external-debugging-output))
(insert "q")
(let* ((found (eglot-completion-at-point))
       (words (all-completions "{typed}q" (nth 2 found))))
  (princ (format "%S\\n" (mapcar #'substring-no-properties words)) #'external-debugging-output))
(delete-char -1)
(completion-at-point)
(save-buffer)
"""


@pytest.mark.usefixtures("command_on_path")
def test_emacs_lists_and_inserts_an_offer(tmp_path: Path):
    if shutil.which("emacs") is None:
        pytest.skip("emacs is not installed")
    path, script = tmp_path / "loop.py", tmp_path / "drive.el"
    path.write_bytes("\r\n".join(LINES).encode())
    script.write_text(EGLOT.format(path=path, typed=TYPED))
    command = ["emacs", "--batch", "-q", "--eval", "(package-initialize)"]
    has = subprocess.run([*command, "--eval", "(require 'eglot)"], capture_output=True, timeout=60)
    if has.returncode:
        pytest.skip("eglot is not installed (elpa-eglot, or Emacs 29)")
    done = subprocess.run(
        [*command, "-l", str(SETUPS / "eglot.el"), "-l", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    listed = re.findall(r"^\((.*)\)$|^nil$", done.stderr, re.MULTILINE)
    word = listed[0].strip('"')
    assert word.startswith(TYPED)
    assert word not in listed[1]
    wanted = "\r\n".join([*LINES[:3], LINES[3] + word, *LINES[4:]])
    assert path.read_bytes().decode() == wanted


def test_what_the_documentation_says_is_what_was_run():
    setups = [path for path in SETUPS.iterdir() if path.suffix in (".lua", ".el")]
    assert len(setups) == 3
    for path in setups:
        _, _, setup = path.read_text(encoding="utf-8").partition("\n")
        assert setup in DOC.read_text(encoding="utf-8"), path.name
