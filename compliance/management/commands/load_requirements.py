"""Load requirements, populations and goals from a file, or the shipped ones by code."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from compliance import requirements
from compliance.management.answering import Error, PoliteCommand
from compliance.models import Requirement
from compliance.preview import Preview, changed, preview
from compliance.requirements_file import Refused, read
from roster.tree import UnitTree


class Command(PoliteCommand):
    help = "Load requirements from a TOML file and rebuild all standings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--preview", action="store_true", help="print who would change state; load nothing")
        parser.add_argument(
            "--presets", nargs="*", metavar="CODE", help="load these shipped requirements; without a code, list them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["file"] is None) == (options["presets"] is None):
            raise Error("Name either a file or --presets.")
        if options["presets"] is not None and options["preview"]:
            raise Error("--preview goes with a file.")
        today = timezone.localdate()
        try:
            if options["presets"] == []:
                self._list_presets()
                return
            if options["preview"]:
                loaded = self._previewed(options["file"], today)
            else:
                with transaction.atomic():  # what is odd is said before anything is saved
                    loaded = self._loaded(options, today)
                    self._warn(loaded)
        except Refused as error:
            for finding in error.findings:
                self.stderr.write(finding)
            sys.exit(2)
        verb = "Would load" if options["preview"] else "Loaded"
        self.stderr.write(
            f"{verb} {loaded.populations} populations, {loaded.requirements} requirements,"
            f" {loaded.editions} editions, {loaded.goals} goals."
        )

    def _loaded(self, options: dict[str, Any], today: date) -> requirements.Loaded:
        if options["presets"]:
            return requirements.load_presets(options["presets"], today=today)
        return requirements.load(read(self._content(options["file"])), today=today)

    def _previewed(self, path: Path, today: date) -> requirements.Loaded:
        """Print who would change state; what the file holds."""
        proposal = requirements.propose(read(self._content(path)), today=today)
        found = preview(proposal, days=[today])
        proposal.loaded.warnings = found.warnings
        self._print_moves(found, {row.pk: row.code for row in proposal.requirements})
        self._warn(proposal.loaded)
        return proposal.loaded

    def _warn(self, loaded: requirements.Loaded) -> None:
        for warning in loaded.warnings:
            self.stderr.write(f"warning: {warning}")

    def _content(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise Error(f"{path}: {error.strerror}.") from None

    def _list_presets(self) -> None:
        for preset in requirements.presets().values():
            note = f"  ({preset.note})" if preset.note else ""
            self.stdout.write(f"{preset.code:<34} {'on ' if preset.is_on else 'off'}  {preset.title}{note}")

    def _print_moves(self, found: Preview, codes: dict[int, str]) -> None:
        tree = UnitTree()
        names = {**dict(Requirement.objects.values_list("pk", "code")), **codes}
        moves = {move: number for move, number in found.moves.items() if not move.reading}
        lines = sorted(
            (names[move.requirement], tree.units[move.unit].code if move.unit else "no unit", move, number)
            for move, number in moves.items()
            if move.before != move.after
        )
        for requirement, unit, move, number in lines:
            self.stdout.write(f"{requirement}  {unit}  {_state(move.before)} -> {_state(move.after)}  {number}")
        self.stdout.write(f"{changed(moves)} would change state today.")


def _state(state: str | None) -> str:
    return state.replace("_", " ") if state else "not asked"
