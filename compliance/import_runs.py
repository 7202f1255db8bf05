"""A file that somebody sent, from the upload to the record: kept, planned in a job, shown, recorded in another.

The file lies below MEDIA_ROOT under a random name, readable by this program alone, and is never served. Its plan is
kept line by line as it was shown; what is recorded is that plan or nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from compliance import imports, jobs, undo
from compliance.models import ImportLine, ImportRun, Job
from compliance.sentences import day
from roster.facts import Via, changing_rules, follow
from roster.models import Agency, Officer
from roster.plans import ImportOptions, Plan, Progress, UnknownMember, Written, noting
from roster.tabular import Preview, Unreadable, fold_header
from training.course_finder import Courses, UnknownCourse
from training.course_imports import forget_title, map_title, officers_with
from training.models import Course, CourseAlias

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet

    from roster.access import Viewer

FOLDER = "imports"
ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods")
LONGEST_ENDING = max(map(len, ENDINGS))
#: Columns of a file that a person can be asked about.
MOST_COLUMNS = 300
#: Titles, and members not found, shown to a person at a time, those with most rows first.
MOST_TITLES = 100
MOST_MEMBERS = 20
#: Members not found that are kept with a plan; more than these are another file.
MOST_UNKNOWN = 1_000
#: Lines in memory at a time while a plan is written to a file.
LINES_READ = 2_000
#: Lines between two words on how far keeping a plan is.
_TELL_EVERY = 10_000
#: What a person may say of a title besides naming a course.
NOTHING = "nothing"

State = ImportRun.State


def visible(viewer: Viewer) -> QuerySet[ImportRun]:
    """The files of the agencies that a user reads whole."""
    return ImportRun.objects.all() if viewer.agencies is None else ImportRun.objects.filter(agency__in=viewer.agencies)


def sources(viewer: Viewer) -> list[str]:
    """Where files came from so far, by name. One query."""
    found = visible(viewer).order_by().values_list("options__source", flat=True).distinct()
    return sorted(source for source in found if source)


def path_of(run: ImportRun) -> Path:
    return Path(settings.MEDIA_ROOT) / run.stored_as


def errors_path(run: ImportRun) -> Path:
    """Where the rejected rows lie, in the file's own columns."""
    return path_of(run).with_suffix(".errors")


def sheet_of(run: ImportRun) -> str:
    """Which sheet of its workbook a run reads; blank where there is one only."""
    return str(run.options.get("sheet", ""))


def options_of(run: ImportRun) -> ImportOptions:
    return ImportOptions.from_json(run.options)


def told(error: Unreadable, run: ImportRun) -> str:
    """The sentence with the name the sender knows the file by."""
    path = path_of(run)
    return str(error).replace(str(path), run.file_name).replace(path.name, run.file_name)


def keep(sent: UploadedFile[bytes], *, kind: str, source: str, agency: Agency, by: User) -> ImportRun:
    """Store a file and open its run; `ValidationError` with a sentence where it cannot be read as a table.

    Without a kind it is what its header looks most like.
    """
    path = Path(sent.name or "file")
    name = path.stem[: 200 - len(path.suffix)] + path.suffix if len(path.suffix) <= LONGEST_ENDING else path.name[:200]
    if not name.lower().endswith(ENDINGS):
        raise ValidationError(f"{name} is not a spreadsheet. Send CSV, XLSX, XLS or ODS.")
    stored_as, sha256 = _store(sent)
    run = ImportRun(agency=agency, kind=kind, file_name=name, stored_as=stored_as, sha256=sha256, uploaded_by=by)
    try:
        sheets = imports.sheets_of(path_of(run))
        sheet = _likeliest(sheets, kind)
        run.counts = {"kinds": sheets[sheet], "sheets": list(sheets) if len(sheets) > 1 else []}
        if not run.kind:
            run.kind = next(iter(sheets[sheet]), "")
            if not run.kind:
                raise Unreadable("Its columns do not tell what it holds. Choose that above.")
        found = imports.preview(run.kind, path_of(run), sheet=sheet)
    except Unreadable as error:
        path_of(run).unlink(missing_ok=True)
        raise ValidationError(told(error, run)) from error
    if len(found.headers) > MOST_COLUMNS:
        path_of(run).unlink(missing_ok=True)
        raise ValidationError(
            f"{name} has {len(found.headers):,} columns; {MOST_COLUMNS} fit on the page that says which is which."
            " Remove those that are not needed."
        )
    _begin(run, source, sheet, found)
    return run


def _likeliest(sheets: Mapping[str, Sequence[str]], kind: str) -> str:
    """The first sheet that can be what the file holds: a workbook may begin with a cover."""
    fitting = (name for name, kinds in sheets.items() if (kind in kinds if kind else kinds))
    return next(fitting, next(iter(sheets)))


def _begin(run: ImportRun, source: str, sheet: str, found: Preview) -> None:
    """Save a run with the columns and members remembered for its source."""
    mapping = remembered(run, source)[0] or found.suggested
    members = remembered_members(run, source)
    options = ImportOptions(mapping=_fitting(mapping, found), source=source, members=members, sheet=sheet)
    run.options = options.as_json()
    run.save()


def read_also(run: ImportRun, kind: str, *, sheet: str = "", by: User) -> ImportRun:
    """Another run of the same file, read as another kind: a roster export holds units, members and assignments.

    Or another sheet of it, as what its columns look most like; failing that, as the same kind.
    """
    sheet = sheet or sheet_of(run)
    kinds = imports.sheets_of(path_of(run)).get(sheet, [])
    kind = kind or next(iter(kinds), run.kind)
    found = imports.preview(kind, path_of(run), sheet=sheet)
    stored_as = f"{FOLDER}/{secrets.token_hex(16)}"
    (Path(settings.MEDIA_ROOT) / stored_as).hardlink_to(path_of(run))
    also = ImportRun(
        agency=run.agency,
        kind=kind,
        file_name=run.file_name,
        stored_as=stored_as,
        sha256=run.sha256,
        counts={"kinds": kinds, "sheets": run.counts.get("sheets", [])},
        uploaded_by=by,
    )
    _begin(also, str(run.options.get("source", "")), sheet, found)
    return also


def _store(sent: UploadedFile[bytes]) -> tuple[str, str]:
    """Copy what was sent below MEDIA_ROOT under a random name, mode 0600; its place and SHA-256."""
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = secrets.token_hex(16)
    sha256 = hashlib.sha256()
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in sent.chunks():
            sha256.update(chunk)
            file.write(chunk)
    return f"{FOLDER}/{name}", sha256.hexdigest()


def _fitting(mapping: Mapping[str, str], found: Preview) -> dict[str, str]:
    """The part of a mapping whose headers this file has."""
    theirs = {fold_header(header): ours for header, ours in mapping.items()}
    return {header: theirs[fold_header(header)] for header in found.headers if fold_header(header) in theirs}


def remembered(run: ImportRun, source: str) -> tuple[dict[str, str], ImportRun | None]:
    """The mapping last used for this kind from this source, and the run it was used in. One query."""
    if not source:
        return {}, None
    earlier = ImportRun.objects.filter(
        agency=run.agency,
        kind=run.kind,
        options__source=source,
        state__in=(State.PLANNED, State.RECORDED, State.UNDONE),
    )
    last = earlier.exclude(pk=run.pk).first()
    return (dict(last.options.get("mapping", {})), last) if last else ({}, None)


def remembered_members(run: ImportRun, source: str) -> dict[str, str]:
    """Who a person said cells of this source mean, whatever the kind of file; the latest word holds. One query."""
    if not source:
        return {}
    earlier = ImportRun.objects.filter(
        agency=run.agency, options__source=source, state__in=(State.PLANNED, State.RECORDED)
    ).exclude(options__members={})
    found: dict[str, str] = {}
    for options in earlier.exclude(pk=run.pk).order_by("pk").values_list("options", flat=True):
        found |= options.get("members", {})
    return found


def same_file(run: ImportRun) -> ImportRun | None:
    """An earlier run of the very same file, if there is one; the recorded one goes first. One query."""
    same = ImportRun.objects.filter(agency=run.agency, kind=run.kind, sha256=run.sha256, pk__lt=run.pk)
    earlier = same.exclude(state__in=(State.DISCARDED, State.UNDONE))
    found = [other for other in earlier if sheet_of(other) == sheet_of(run)]
    return next((other for other in found if other.state == State.RECORDED), found[0] if found else None)


class Busy(ValidationError):
    """A run that somebody else is at."""


def _claimed(run: ImportRun, *states: str) -> ImportRun:
    """The run with its row locked; `Busy` when it is not in one of these states, or a job is at it."""
    locked = ImportRun.objects.select_for_update(of=("self",)).select_related("job", "agency").get(pk=run.pk)
    if locked.job is not None and locked.job.state in ("waiting", "running"):
        raise Busy("This import is being worked on. Wait until that is done.")
    if locked.state not in states:
        raise Busy(f"This import is {locked.get_state_display()} already.")
    return locked


def start_plan(run: ImportRun, *, by: User, options: ImportOptions | None = None) -> Job:
    """Make the plan, or make it again, in a job."""
    with transaction.atomic():
        locked = _claimed(run, State.UPLOADED, State.PLANNED, State.FAILED)
        if options is not None:
            locked.options = options.as_json()
        locked.job = jobs.start("plan_import", {"run": locked.pk}, by=by)
        locked.state, locked.problem, locked.plan_digest = State.UPLOADED, "", ""
        locked.save()
        return locked.job


def start_record(run: ImportRun, *, digest: str, by: User) -> Job:
    """Record the plan that was shown, in a job."""
    with transaction.atomic():
        locked = _claimed(run, State.PLANNED)
        if digest != locked.plan_digest:
            raise Busy("The plan was made again since you opened this page. Look at it first.")
        locked.job = jobs.start("record_import", {"run": locked.pk, "digest": digest}, by=by)
        locked.problem = ""
        locked.save(update_fields=["job", "problem"])
        return locked.job


def start_undo(run: ImportRun, *, digest: str, why: str, by: User) -> Job | None:
    """Undo a recorded run as it was shown, in a job; None where exactly that is done already.

    What an earlier undoing left, since others had built on it, is undone the same way.
    """
    with transaction.atomic():
        if ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk).undone.get("digest") == digest:
            return None
        locked = _claimed(run, State.RECORDED, State.UNDONE)
        locked.job = jobs.start(undo.UNDO, {"run": locked.pk, "digest": digest, "why": why}, by=by)
        locked.save(update_fields=["job"])
        return locked.job


def discard(run: ImportRun) -> bool:
    """Drop a run that was not recorded, with its file; the line in the list stays."""
    with transaction.atomic():
        locked = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if locked.state == State.DISCARDED:
            return False
        locked = _claimed(run, State.UPLOADED, State.PLANNED, State.FAILED)
        ImportRun.objects.filter(pk=locked.pk).update(state=State.DISCARDED, problem="")
        ImportLine.objects.filter(run=locked).delete()
        transaction.on_commit(lambda: _remove_files(locked))
    return True


def _remove_files(run: ImportRun) -> None:
    path_of(run).unlink(missing_ok=True)
    errors_path(run).unlink(missing_ok=True)


def _told_to(progress: jobs.Progress) -> Progress:
    """What a job is told by an import."""

    def report(done: int, total: int) -> None:
        progress(done, total)

    return report


def plan_import(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: read the file and keep its plan line by line. Done again, it replaces what it kept."""
    run = ImportRun.objects.select_related("agency").get(pk=job.arguments["run"])
    options = options_of(run)
    reading, keeping = imports.parts(_told_to(progress), 55, 40)
    try:
        plan = imports.read_plan(
            run.kind,
            path_of(run),
            options,
            today=timezone.localdate(),
            agency=run.agency,
            by=job.requested_by,
            progress=reading,
        )
    except Unreadable as error:
        sentence = told(error, run)
        ImportRun.objects.filter(pk=run.pk).update(state=State.FAILED, problem=sentence)
        raise jobs.JobFailed(sentence) from error
    _keep_errors(run, plan, options)
    with transaction.atomic():
        ImportLine.objects.filter(run=run).delete()
        warned = _copy_lines(run, plan, keeping)
        ImportRun.objects.filter(pk=run.pk).update(
            state=State.PLANNED,
            rows=plan.rows,
            plan_digest=plan.digest(),
            problem="",
            counts={
                **{verdict.value: number for verdict, number in plan.counts.items()},
                "warnings": warned,
                "records": plan.records_something,
                "ignored": list(plan.ignored_columns),
                "kinds": run.counts.get("kinds", []),
                "sheets": run.counts.get("sheets", []),
                "titles": [[title.title, title.rows, list(title.lines)] for title in plan.unknown_titles],
                "members": [list(member) for member in plan.unknown_members[:MOST_UNKNOWN]],
            },
        )
    return {"rows": plan.rows}


def _copy_lines(run: ImportRun, plan: Plan, progress: Progress | None) -> int:
    """COPY the plan's lines; how many carry a warning."""
    warned = 0
    columns = "run_id, line, verdict, summary, reason, has_warning, changes"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY compliance_importline ({columns}) FROM STDIN") as copy,
    ):
        for number, line in enumerate(plan.lines(), 1):
            if progress is not None and number % _TELL_EVERY == 0:
                progress(number, plan.rows)
            warned += line.has_warning
            changes = json.dumps(line.changes).replace("\\u0000", "") if line.changes else None
            summary, reason = line.summary.replace("\x00", ""), line.reason.replace("\x00", "")
            copy.write_row((run.pk, line.line, line.verdict.value, summary, reason, line.has_warning, changes))
    return warned


def _keep_errors(run: ImportRun, plan: Plan, options: ImportOptions) -> None:
    path = errors_path(run)
    path.unlink(missing_ok=True)
    if plan.errors:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as out:
            imports.write_errors(plan, path_of(run), options, out)


def record_import(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """Job: record exactly the plan that was shown. Facts, standings and the run's state commit together."""
    with transaction.atomic():
        run = ImportRun.objects.select_for_update(of=("self",)).select_related("agency").get(pk=job.arguments["run"])
        if run.state == State.RECORDED:
            return {"run": run.pk}
        try:
            recorded = imports.record(
                run.kind,
                path_of(run),
                options_of(run),
                today=timezone.localdate(),
                agency=run.agency,
                by=job.requested_by,
                why=f"Import of {run.file_name}",
                via=Via.IMPORT,
                expected_digest=job.arguments["digest"],
                progress=_told_to(progress),
            )
        except Unreadable as error:
            sentence = told(error, run)
        else:
            keep_rows(run, recorded.written)
            run.state, run.change_id, run.recorded_at = State.RECORDED, recorded.change_id, timezone.now()
            run.save(update_fields=["state", "change", "recorded_at"])
            return {"run": run.pk}
    ImportRun.objects.filter(pk=run.pk).update(problem=sentence)
    raise jobs.JobFailed(sentence)


def keep_rows(run: ImportRun, written: Iterable[Written]) -> None:
    """COPY what the run wrote besides facts: undoing it reads this."""
    columns = "run_id, model, row_id, before, after"
    with connection.cursor() as cursor, cursor.copy(f"COPY compliance_importedrow ({columns}) FROM STDIN") as copy:
        for model, row_id, before, after in written:
            copy.write_row((run.pk, model, row_id, None if before is None else json.dumps(before), json.dumps(after)))


#: The kinds of job this module does.
HANDLERS: dict[str, jobs.Handler] = {"plan_import": plan_import, "record_import": record_import}


@dataclass(frozen=True, slots=True)
class Title:
    """A course title that needs a person, with the first lines that hold it."""

    number: int
    title: str
    rows: int
    lines: tuple[int, ...]


def titles_of(run: ImportRun) -> list[Title]:
    """Titles nobody mapped, those with most rows first."""
    titles = sorted(run.counts.get("titles", ()), key=lambda entry: (-entry[1], entry[0]))
    return [Title(number, title, rows, tuple(lines)) for number, (title, rows, lines) in enumerate(titles)]


def map_titles(run: ImportRun, said: Iterable[tuple[str, Course | str]], *, by: User | None = None) -> int:
    """Remember what a person said of titles: the course each is, or that it counts toward nothing; how many.

    A title that was said to count toward nothing, and had completions recorded under it since, becomes the course.
    """
    source = str(run.options.get("source", ""))
    count = 0
    linked: set[int] = set()
    written: list[Written] = []
    with changing_rules(by=by, via=Via.PAGE, why=f"Titles of {run.file_name}"):
        with noting((Course, CourseAlias), run.agency, written):
            courses = Courses(source)
            for title, course in said:
                if isinstance(course, Course):
                    linked |= map_title(title, course, source=source)
                else:
                    try:
                        courses.find(title)
                    except UnknownCourse:
                        courses.new[courses.add(title)].save()
                count += 1
        keep_rows(run, written)
        follow(officers_with(linked) if linked else ())
    return count


def change_title(title: Course, course: Course | None, *, by: User) -> None:
    """Say anew which course a title of files is; None = it counts toward nothing. Who has it is judged anew."""
    with changing_rules(by=by, via=Via.PAGE, why="What a title is"):
        before = Course.objects.select_for_update(of=("self",)).select_related("same_as").get(pk=title.pk)
        judged = {before.pk, *([before.same_as_id] if before.same_as_id else ())}
        if course is not None:
            judged |= {course.pk} | map_title(before.title, course, source="")
        else:
            forget_title(before)
        follow(officers_with(judged))


def decide_members(run: ImportRun, said: Mapping[str, str], *, by: User) -> Job:
    """Remember who cells of a run mean (employee ids; blank = nobody) and make the plan again."""
    options = options_of(run)
    members = {**options.members, **said}
    return start_plan(run, by=by, options=replace(options, members=members))


def forget_members(run: ImportRun, *, by: User) -> Job:
    """Forget whom a person chose for this run, and make the plan again."""
    return start_plan(run, by=by, options=replace(options_of(run), members={}))


def examples(run: ImportRun, titles: Sequence[Title]) -> dict[int, list[str]]:
    """What the first rows of each title say, by its number. One query."""
    lines = {line for title in titles for line in title.lines}
    said = dict(ImportLine.objects.filter(run=run, line__in=lines).values_list("line", "summary"))
    return {title.number: [f"line {line:,}: {said[line]}" for line in title.lines if line in said] for title in titles}


def members_of(run: ImportRun) -> list[UnknownMember]:
    """Whom rows are about that were not found and nobody decided on, those with most rows first."""
    decided = options_of(run).members
    found = [UnknownMember(key, said, rows, tuple(lines)) for key, said, rows, lines in run.counts.get("members", ())]
    return [member for member in found if member.key not in decided]


def sent_before(run: ImportRun) -> str:
    """What to say when the very same file came before; blank when it did not."""
    other = same_file(run)
    if other is None:
        return ""
    on = day(timezone.localdate(other.uploaded_at))
    if other.state == State.RECORDED:
        return f"The very same file was recorded on {on}: whatever stands already shows as same."
    waits = {State.PLANNED: "its plan waits to be recorded", State.FAILED: "it could not be read"}
    now = waits.get(State(other.state), "nobody has said yet which column is which")
    return f"The very same file was sent on {on}; {now}."


def needed_columns(run: ImportRun) -> str:
    """What a file of this kind must have, in words."""
    kind = imports.find_kind(run.kind)
    titles = {column.name: column.title or column.name for column in kind.columns}
    groups = kind.required_columns(options_of(run))
    return "; ".join(
        " or ".join(" and ".join(titles.get(name, name).lower() for name in names) for names in alternatives)
        for alternatives in groups
    )


def with_names(run: ImportRun, lines: Sequence[ImportLine]) -> list[tuple[ImportLine, str]]:
    """Each line with the name of the member whose employee id it begins with, if there is one. One query."""
    if not imports.find_kind(run.kind).finds_members:
        return [(line, "") for line in lines]
    ids = {line.pk: line.summary.replace(",", " ").split(" ", 1)[0] for line in lines}
    names = {
        officer.employee_id: officer.listed_name
        for officer in Officer.objects.filter(agency=run.agency, employee_id__in=set(ids.values()))
    }
    return [(line, names.get(ids[line.pk], "")) for line in lines]


def rows_of_runs(runs: QuerySet[ImportRun], titles: Mapping[str, str]) -> Iterator[list[Any]]:
    """Files sent as a table: a header, then a row for each."""
    yield ["File", "Source", "Holds", "Sent", "By", "Rows", "State"]
    for run in runs.iterator(chunk_size=LINES_READ):
        sent_on = timezone.localdate(run.uploaded_at)
        source = run.options.get("source", "")
        by = run.uploaded_by.username
        yield [run.file_name, source, titles[run.kind], sent_on, by, run.rows, run.get_state_display()]


def plan_rows(run: ImportRun, lines: QuerySet[ImportLine]) -> Iterator[list[Any]]:
    """The plan as a table: a header, then these lines in their order. One query for two thousand lines, at most."""
    yield ["Line", "Row", "Member", "Plan", "Changes", "Warning", "Reason"]
    titles = {column.name: column.title or column.name for column in imports.KINDS[run.kind].columns}
    read = lines.iterator(chunk_size=LINES_READ)
    while part := list(islice(read, LINES_READ)):
        for line, name in with_names(run, part):
            changes = [f"{titles.get(column, column)}: {old} → {new}" for column, old, new in line.changes or ()]
            warning = "yes" if line.has_warning else ""
            yield [line.line, line.summary, name, told_verdict(line.verdict), "; ".join(changes), warning, line.reason]


def told_verdict(verdict: str) -> str:
    """`new`, `same`, `changed`, `rejected`, `left out`."""
    return "left out" if verdict == "skipped" else verdict
