"""The benchmark runs and prints every figure; what the figures say of a small department means nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FIGURES = (
    "import of completions",
    "import by page",
    "the same rows by django-import-export",
    "the same in its bulk mode",
    "rebuild from empty",
    "rebuild, nothing changed",
    "rebuild of all presets",
    "preview of an edition",
    "coverage by unit",
    "class of 30, looked up",
    "class of 30, until its page shows it",
    "finish a class of 30, previewed",
    "finish a class of 30, until its pages show it",
    "500 certificates in one PDF",
    "/coverage/",
    "/units/CODE/",
    "/officers/",
    "/deadlines/",
    "/completions/",
)


def test_benchmark_prints_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--officers", "80", "--times", "1", "--json", str(file)]

    done = subprocess.run(  # noqa: S603 - this checkout's own program
        [*command, "--database", f"records_benchmark_{os.getpid()}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode in (0, 1), done.stderr
    figures = {figure["name"]: figure for figure in json.loads(file.read_text())["figures"]}
    assert set(FIGURES) <= set(figures)
    for name in FIGURES:
        assert name in done.stdout
        assert figures[name]["whole"]["seconds"] > 0
    assert figures["rebuild from empty"]["whole"]["peak_mb"] > 0
    assert figures["coverage by unit"]["whole"]["floor"] > 0
