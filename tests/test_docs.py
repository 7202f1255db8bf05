"""The documents keep up: every variable, command, state and preset that exists is written down, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from compliance import requirements
from compliance.engine import Clock, State

ROOT = Path(__file__).resolve().parent.parent
DOCS = ("README.md", "docs/architecture.md", "docs/deployment.md", "docs/rules.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_variable_that_is_read_stands_in_the_example_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text("config/settings.py")))
    example = set(re.findall(r"^#? ?([A-Z_]+)=", text(".env.example"), re.M))

    assert example == read


def test_every_command_stands_in_a_document() -> None:
    own = {name for name, app in get_commands().items() if app == "compliance"}
    written = "\n".join(text(name) for name in DOCS)

    assert {name for name in own if name not in written} == set()


@pytest.mark.parametrize("name", DOCS)
def test_documents_name_only_commands_that_exist(name: str) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", text(name)))

    assert named <= set(get_commands())


@pytest.mark.parametrize("name", DOCS)
def test_documents_name_only_files_that_exist(name: str) -> None:
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", text(name))
    named += re.findall(r"`((?:docs|tests|compliance|roster|training|config)/[\w./-]+\.\w+)`", text(name))

    missing = [
        path for path in named if not (ROOT / path).exists() and not (ROOT / name).parent.joinpath(path).exists()
    ]
    assert missing == []


def test_every_state_and_clock_is_explained() -> None:
    rules = text("docs/rules.md")

    assert {state.value for state in State if state.value.replace("_", " ") not in rules} == set()
    assert {clock.value for clock in Clock if f"| {clock.value} |" not in rules} == set()


def test_every_preset_has_a_title_and_one_that_is_off_says_why() -> None:
    shipped = requirements.presets()

    assert all(preset.title for preset in shipped.values())
    assert {code for code, preset in shipped.items() if not preset.is_on and "onfirm" not in preset.note} == set()


def test_every_preset_stands_in_the_rules_on_or_off() -> None:
    written = dict(re.findall(r"^\| ([a-z0-9.-]+) \|.*\| (on|off) \|$", text("docs/rules.md"), re.M))

    assert written == {code: "on" if preset.is_on else "off" for code, preset in requirements.presets().items()}


def test_the_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.+)"', text("pyproject.toml"), re.M)

    assert version is not None
    assert f"## {version[1]}" in text("CHANGELOG.md")
