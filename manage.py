#!/usr/bin/env python
"""Run the project's commands; on a development machine the database comes with them."""

import os
import sys

from config import embedded


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command == "demo":
        embedded.prepare_demo()
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings read the file made above

    with embedded.for_command(command):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
