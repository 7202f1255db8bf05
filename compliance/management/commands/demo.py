"""The whole product with made-up data, by one command."""

from __future__ import annotations

import contextlib
import signal
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.dateformat import format as format_date

from compliance import coverage
from compliance.demo import make_department, record_department
from compliance.demo.department import FEWEST
from compliance.demo.desk import lay_on_desk
from compliance.demo.papers import add_papers
from compliance.demo.record import MARK, PRESETS, is_made_here
from compliance.demo.rows import Department, Member
from compliance.demo.serving import HOST, ServingError, reserve, serve
from compliance.demo.sign_ins import PASSWORD, give_roles, make_users
from compliance.demo.taught import hold_classes
from compliance.management.answering import Error, PoliteCommand
from compliance.models import Requirement
from config import embedded
from roster.models import Access, Change, Officer, Role, Unit
from roster.tree import UnitTree

MOST = 1_000_000
#: The commander's district: the one whose night shift is behind.
COMMANDED = "D4"
#: Two people who start the demo at once: the second waits, and finds the data.
DEMO_LOCK = 4_127_020


class Command(PoliteCommand):
    help = "Make up a police department and serve the whole product for it on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--officers", type=int, default=420, metavar="N", help="members serving today; 420 if left out"
        )
        parser.add_argument("--no-serve", action="store_true", help="stop when the data is there")
        parser.add_argument("--port", type=int, default=8000, help="8000 if left out; 0 takes any free one")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo is for a development machine only: it needs DEBUG=true.")
        if not FEWEST <= options["officers"] <= MOST:
            raise Error(f"--officers: {options['officers']} is not from {FEWEST} to {MOST:,}.")
        if not 0 <= options["port"] <= 65_535:
            raise Error(f"--port: {options['port']} is not from 0 to 65535.")
        try:
            with contextlib.ExitStack() as stack:
                reserved = None if options["no_serve"] else stack.enter_context(reserve(options["port"]))
                if settings.EMBEDDED_DATABASE or (settings.EMBEDDED_REDIS and reserved):
                    self._say(f"Starting the servers under {embedded.data_dir()}")
                stack.enter_context(
                    embedded.running(
                        postgres=settings.EMBEDDED_DATABASE, redis=settings.EMBEDDED_REDIS and reserved is not None
                    )
                )
                with _alone():
                    self._prepare(options["officers"])
                self._print_coverage()
                connection.close()
                if reserved is not None:
                    self._serve(reserved)
        except ServingError as error:
            raise CommandError(str(error)) from None

    def _say(self, text: str) -> None:
        self.stderr.write(f"{text} …")
        self.stderr.flush()

    # --- data ---------------------------------------------------------------------------------------------------

    def _prepare(self, officers: int) -> None:
        """Tables and members; in a database that has the demo's members, nothing changes."""
        if "roster_officer" in connection.introspection.table_names():
            self._refuse_strangers()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._say("Preparing the tables")
            call_command("migrate", verbosity=0, interactive=False)
        if not is_made_here():
            self._make(officers)
            return
        serving = Officer.objects.serving_on(timezone.localdate()).count()
        made_at = Change.objects.filter(why=MARK).values_list("at", flat=True)[0]
        made_on = format_date(timezone.localtime(made_at), "j M Y") if made_at else "an earlier day"
        self.stderr.write(f"The department made up on {made_on} is still there, with {serving:,} members serving.")
        if officers not in (420, serving):
            self.stderr.write(f"For one of {officers:,}, remove {embedded.data_dir()} or name another database first.")

    def _refuse_strangers(self) -> None:
        with connection.cursor() as cursor:  # not by the models: the tables may be an earlier version's
            cursor.execute("SELECT EXISTS (SELECT FROM roster_change WHERE why = %s)", [MARK])
            if cursor.fetchone() == (True,):
                return
            for table, what in (("roster_officer", "members"), ("auth_user", "users"), ("roster_agency", "an agency")):
                cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608 - names above
                if cursor.fetchone() == (True,):
                    raise CommandError(
                        f"This database holds {what} that the demo did not make, so the demo leaves it alone. "
                        "Name an empty database with DATABASE_URL, or an empty directory with EMBEDDED_DIR."
                    )

    def _make(self, officers: int) -> None:
        department = make_department(officers, today=timezone.localdate())
        with transaction.atomic():
            users = make_users()
            agency = record_department(department, by=users, say=self._say)
            employee_id = _worth_a_look(department).employee_id
            shown = Officer.objects.get(agency=agency, employee_id=employee_id)
            self._say("Holding classes")
            hold_classes(department, agency, by=users["academy"], shown=shown)
            add_papers(agency, by=users["academy"])
            lay_on_desk(agency, users, today=department.today, shown=shown)
            give_roles(users, agency, Unit.objects.get(agency=agency, code=COMMANDED), shown)

    # --- what is printed ----------------------------------------------------------------------------------------

    def _print_coverage(self) -> None:
        """Each district under the two requirements that tell most; areas where there are many districts."""
        today = timezone.localdate()
        tree = UnitTree()
        top = next((unit for unit in tree.units.values() if unit.code == "PATROL"), None)
        below = [tree.units[key] for key in tree.children.get(top.pk, ())] if top else []
        rows = coverage.standings_on(today)
        columns = []
        for requirement in Requirement.objects.filter(code__in=(PRESETS[0], PRESETS[2])):
            own = coverage.counts(rows.filter(requirement=requirement), "unit")
            columns.append((requirement.title, own, coverage.roll_up(own, tree), coverage.total(own)))
        inside = tree.below(unit.pk for unit in below)
        lines = [["", *(title for title, *_ in columns)]]
        lines += [
            [unit.name, *(_share(rolled.get(unit.pk, coverage.Counts())) for _, _, rolled, _ in columns)]
            for unit in sorted(below, key=lambda unit: (len(unit.code), unit.code))
        ]
        elsewhere = [
            _share(coverage.total(part for part in own if part.unit is None or part.unit not in inside))
            for _, own, _, _ in columns
        ]
        lines.append(["Elsewhere", *elsewhere])
        lines.append(["All who must", *(_share(whole) for _, _, _, whole in columns)])
        self.stdout.write(
            f"\nCoverage on {format_date(today, 'j M Y')}: members who are current; excused members apart"
        )
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        for line in lines:
            self.stdout.write(
                "  " + "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
        self.stdout.flush()

    def _print_address(self, port: int) -> None:
        self.stdout.write(f"\nOpen http://{HOST}:{port}/ and sign in with the password {PASSWORD} as\n")
        for role in Role:
            found = Access.objects.filter(user__username=role, role=role).select_related("unit", "officer").first()
            if found is not None:
                reach = found.unit or found.officer
                self.stdout.write(f"  {role:<13}{role.label}{f': {reach}' if reach else ''}")
        connection.close()
        self.stdout.write(f"\nLogs are in {embedded.data_dir()}. Ctrl-C stops everything.")
        self.stdout.flush()

    # --- serving ------------------------------------------------------------------------------------------------

    def _serve(self, reserved: socket.socket) -> None:
        port = reserved.getsockname()[1]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
        self._say("Starting the web server, the worker and the scheduler")
        try:
            serve(
                reserved,
                Path(settings.BASE_DIR),
                embedded.data_dir(),
                ready=lambda: self._print_address(port),
            )
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the demo's lock: whoever starts it at the same time waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [DEMO_LOCK])
    try:
        yield
    finally:
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [DEMO_LOCK])


def _share(counts: coverage.Counts) -> str:
    if counts.counted == 0:
        return "n/a"
    return f"{counts.percent:>5} %  {counts.current:,} of {counts.counted:,}"


def _worth_a_look(department: Department) -> Member:
    """Whose record the officer's sign-in opens: one just back from leave, with a refresher to take."""
    serving = [member for member in department.members if member.is_employed_on(department.today)]
    return next((member for member in serving if member.story == "back"), serving[0])
