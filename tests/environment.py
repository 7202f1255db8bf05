"""Loaded before Django's settings: the variables that tests run under, and the servers they need."""

from __future__ import annotations

import os

os.environ.setdefault("DEBUG", "true")
