"""Loaded once in the process that those that measure are forked from: Django, and what most of them measure."""

from __future__ import annotations

from tests.benchmarks import database

database.work_in()

from tests.benchmarks import measures  # noqa: E402, F401 - models, once Django is ready
