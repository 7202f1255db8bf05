"""stand-in until the embedded servers land"""

import os
from contextlib import nullcontext
from pathlib import Path


def data_dir():
    return Path(__file__).resolve().parent.parent / "var"


def database_url():
    return os.environ.get("X_DB", "postgres://postgres@127.0.0.1:5433/records")


def broker_url():
    return "redis://127.0.0.1:6379/0"


def for_command(c):
    return nullcontext()


def prepare_demo():
    pass
