"""`uv run python -m tests.benchmarks [--officers N] [--times N] [--quick] [--json FILE]`: what the product costs.

Works in a database of its own, which it makes on the configured server (the embedded one without DATABASE_URL) and
drops at the end. Exit 0 when every limit is reached, 1 when one is missed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import database


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--officers", type=int, default=50_000, metavar="N", help="members (50,000)")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="how often each act is taken (3)")
    parser.add_argument("--quick", action="store_true", help="2,000 members, each act once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--database", default="records_benchmark", metavar="NAME", help="the database to make and drop")
    options = parser.parse_args()
    if options.officers < 40:
        parser.error("--officers: at least 40, so that a quarter of them is a department.")

    database.work_in()
    from django.conf import settings  # noqa: PLC0415 - set up only now

    from config import embedded  # noqa: PLC0415 - the same
    from tests.benchmarks import run  # noqa: PLC0415 - the same

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the database is dropped then too
    with ExitStack() as stack:
        if settings.EMBEDDED_DATABASE:
            stack.enter_context(embedded.running())
        officers, times = (2_000, 1) if options.quick else (options.officers, options.times)
        return run.benchmark(options.database, officers, times=times, json_file=options.json)


if __name__ == "__main__":
    sys.exit(main())
