"""Rebuild every standing from the facts, or verify that they are what the facts say."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from compliance import standings
from compliance.management.answering import PoliteCommand


class Command(PoliteCommand):
    help = "Rebuild all standings; with --verify change nothing and print the number of differences."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--verify", action="store_true", help="change nothing; exit 1 unless 0 rows differ")

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(done: int, total: int) -> None:
            if options["verbosity"] > 1:
                self.stderr.write(f"{done:,} of {total:,} members")

        if not options["verify"]:
            changed = standings.rebuild_by_slices(progress=progress)
            self.stderr.write(f"{changed:,} rows changed.")
            return
        found = standings.differences(progress=progress)
        self.stdout.write(str(sum(found.values())))
        if found:
            sys.exit(1)
