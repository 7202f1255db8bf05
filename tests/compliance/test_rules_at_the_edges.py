"""The first and the last day of every rule, through the commands: files in, answers out.

Each case is one member under a rule of their own, counted by hand: months that lack the day, leap days, leave that
touches leave, approvals on the due day, breaks of exactly the months allowed. All cases are sent in and asked at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.compliance.desk import Desk, on_day

pytestmark = pytest.mark.django_db

COURSES = """code,title,kind,hours
CIT,CIT basic course,cit,40
REF,CIT refresher,refresher,8
RECERT,Short recertification,mhfa,2
OUT,Course of another academy,cit,40
"""
PLANS = """course,version,start_on,end_on
CIT,v1,2023-01-01,2024-02-29
CIT,v2,2024-03-01,
"""
EQUIVALENCIES = """course,counts_as,start_on,end_on
OUT,CIT,2024-02-01,2024-02-29
"""
#: What a rule says of courses as long as a case says nothing else.
ASKED = {"entry_courses": '["CIT"]', "refresher_courses": '["REF"]'}

HEADERS = {
    "officers": "hired_on,separated_on,category",
    "assignments": "unit,shift,rank,kind,start_on,end_on",
    "leaves": "start_on,end_on,kind",
    "designations": "code,start_on,end_on,voluntary",
    "completions": "completed_on,course,hours,class_number,certificate_expires_on,lesson_plan",
    "waivers": "start_on,end_on",
    "extensions": "approved_on,until_on",
}


@dataclass
class Case:
    """A member, a rule and what holds on some days.

    Lines are `rule key = value; ...` (`from DAY` begins another edition, `who` its population), `KIND cells` in the
    order of HEADERS, and `DAY answer`.
    """

    name: str
    lines: str

    def of(self, word: str) -> list[str]:
        found = [line.strip() for line in self.lines.splitlines() if line.strip()]
        return [line.partition(" ")[2].strip() for line in found if line.partition(" ")[0] == word]

    @property
    def answers(self) -> list[tuple[str, str]]:
        found = [line.strip().partition(" ") for line in self.lines.splitlines() if line.strip()[:1].isdigit()]
        return [(day, said.strip()) for day, _, said in found]

    def toml(self) -> str:
        editions: list[tuple[str, dict[str, str], list[str]]] = []
        for line in map(str.strip, self.lines.splitlines()):
            word, _, rest = line.partition(" ")
            if word == "from":
                editions.append((rest, dict(ASKED), []))
            elif word in ("rule", "who") and not editions:
                editions.append(("2000-01-01", dict(ASKED), []))
            if word == "rule":
                pairs = [part.split(" = ", 1) for part in rest.split("; ")]
                editions[-1][1].update((key, value) for key, value in pairs)
            elif word == "who":
                editions[-1][2].extend(rest.split("; "))
        parts = []
        for start, _, who in editions:
            parts += ["[[population]]", f'code = "{self.name}-{start}"', *who]
        parts += ["[[requirement]]", f'code = "{self.name}"']
        for start, keys, _ in editions:
            parts += ["[[requirement.edition]]", f"effective_from = {start}", f'population = "{self.name}-{start}"']
            parts += [f"{key} = {value}" for key, value in keys.items()]
        return "\n".join(parts) + "\n"


CASES = [
    Case(
        "months-of-a-leap-day",
        """rule clock = "rolling"; months = 6
        completions 2023-08-31,CIT
        completions 2024-02-29,REF
        2024-02-28 current, due 2024-02-29
        2024-02-29 current, due 2024-08-29
        2024-08-29 current, due 2024-08-29
        2024-08-30 overdue, due 2024-08-29""",
    ),
    Case(
        "months-to-a-shorter-month",
        """rule clock = "rolling"; months = 1
        completions 2025-01-29,CIT
        completions 2025-01-31,REF
        2025-01-29 current, due 2025-02-28
        2025-02-28 current, due 2025-02-28
        2025-03-01 overdue, due 2025-02-28""",
    ),
    Case(
        "calendar-on-both-sides-of-new-year",
        """rule clock = "calendar"; years = 1
        completions 2023-12-31,CIT
        completions 2025-01-01,REF
        2023-12-31 current, due 2024-12-31
        2025-01-01 current, due 2026-12-31
        2027-01-01 overdue, due 2026-12-31""",
    ),
    Case(
        "toll-through-touching-leave",
        """rule clock = "rolling"; months = 12; leave = "toll"
        completions 2024-02-29,CIT
        leaves 2025-02-20,2025-02-28,medical
        leaves 2025-03-01,2025-03-09,family
        2024-06-01 current, due 2025-03-18
        2025-03-18 current, due 2025-03-18
        2025-03-19 overdue, due 2025-03-18""",
    ),
    Case(
        "toll-of-touching-leave-just-long-enough",
        """rule clock = "rolling"; months = 12; leave = "toll"; leave_min_days = 18
        completions 2024-02-29,CIT
        leaves 2025-02-20,2025-02-28,medical
        leaves 2025-03-01,2025-03-09,family
        2025-03-18 current, due 2025-03-18""",
    ),
    Case(
        "toll-of-touching-leave-a-day-too-short",
        """rule clock = "rolling"; months = 12; leave = "toll"; leave_min_days = 19
        completions 2024-02-29,CIT
        leaves 2025-02-20,2025-02-28,medical
        leaves 2025-03-01,2025-03-09,family
        2025-03-01 overdue, due 2025-02-28""",
    ),
    Case(
        "toll-of-leave-around-the-credit",
        """rule clock = "rolling"; months = 12; leave = "toll"
        completions 2024-03-15,CIT
        leaves 2024-03-01,2024-03-31,medical
        2025-03-31 current, due 2025-03-31
        2025-04-01 overdue, due 2025-03-31""",
    ),
    Case(
        "toll-of-leave-after-the-limit",
        """rule clock = "rolling"; months = 12; leave = "toll"
        completions 2024-02-29,CIT
        leaves 2025-03-01,2025-03-31,medical
        2025-02-28 current, due 2025-02-28
        2025-03-01 overdue, due 2025-02-28""",
    ),
    Case(
        "anchor-of-a-tolled-limit-first-day",
        """rule clock = "rolling"; months = 12; leave = "toll"; early = "keep_anchor"; keep_anchor_days = 30
        completions 2023-05-31,CIT
        leaves 2024-05-01,2024-05-20,medical
        leaves 2025-06-11,2025-06-30,medical
        completions 2024-05-21,REF
        2024-05-20 current, due 2024-06-20
        2024-05-21 current, due 2025-07-10
        2025-07-11 overdue, due 2025-07-10""",
    ),
    Case(
        "anchor-of-a-tolled-limit-a-day-early",
        """rule clock = "rolling"; months = 12; leave = "toll"; early = "keep_anchor"; keep_anchor_days = 30
        completions 2023-05-31,CIT
        leaves 2024-05-01,2024-05-20,medical
        completions 2024-05-20,REF
        2024-05-20 current, due 2025-05-20""",
    ),
    Case(
        "anchor-of-an-extended-limit-first-day",
        """rule clock = "rolling"; months = 12; early = "keep_anchor"; keep_anchor_days = 30
        completions 2023-03-31,CIT
        extensions 2024-03-31,2024-06-30
        completions 2024-05-31,REF
        2024-05-30 current, due 2024-06-30
        2024-05-31 current, due 2025-06-30""",
    ),
    Case(
        "anchor-of-an-extended-limit-a-day-early",
        """rule clock = "rolling"; months = 12; early = "keep_anchor"; keep_anchor_days = 30
        completions 2023-03-31,CIT
        extensions 2024-03-31,2024-06-30
        completions 2024-05-30,REF
        2024-05-30 current, due 2025-05-30""",
    ),
    Case(
        "anchor-that-was-clamped",
        """rule clock = "rolling"; months = 6; early = "keep_anchor"; keep_anchor_days = 10
        completions 2023-08-31,CIT
        completions 2024-02-19,REF
        2024-02-19 current, due 2024-08-29""",
    ),
    Case(
        "grace-through-leave-on-the-deadline",
        """rule leave = "toll"; entry_grace_days = 29
        officers 2024-01-31
        leaves 2024-02-29,2024-03-02,medical
        2024-01-31 in grace, due 2024-03-03
        2024-03-03 in grace, due 2024-03-03
        2024-03-04 overdue, due 2024-03-03""",
    ),
    Case(
        "days-back-after-leave-that-touches-leave",
        """rule clock = "rolling"; months = 36; leave = "exclude"; return_grace_days = 60
        completions 2021-02-15,CIT
        leaves 2024-02-15,2024-02-29,medical
        leaves 2024-03-01,2024-03-31,military
        2024-02-14 current, due 2024-02-15
        2024-02-15 excused
        2024-03-31 excused
        2024-04-01 in grace, due 2024-05-31
        2024-05-31 in grace, due 2024-05-31
        2024-06-01 overdue, due 2024-05-31""",
    ),
    Case(
        "no-days-back-when-overdue-before",
        """rule clock = "rolling"; months = 36; leave = "exclude"; return_grace_days = 60
        completions 2021-02-15,CIT
        leaves 2024-02-16,2024-02-29,medical
        2024-02-16 excused
        2024-03-01 overdue, due 2024-02-15""",
    ),
    Case(
        "leave-of-another-kind-joins-nothing",
        """rule clock = "rolling"; months = 36; leave = "exclude"; leave_kinds = ["medical"]; return_grace_days = 60
        completions 2021-02-15,CIT
        leaves 2024-01-10,2024-01-31,medical
        leaves 2024-02-01,2024-02-29,military
        leaves 2024-03-01,2024-03-20,medical
        2024-01-31 excused
        2024-02-15 current, due 2024-02-15
        2024-02-16 in grace, due 2024-04-01
        2024-03-20 excused
        2024-03-21 in grace, due 2024-05-20
        2024-05-21 overdue, due 2024-05-20""",
    ),
    Case(
        "extension-approved-on-the-due-day",
        """rule clock = "rolling"; months = 36
        completions 2021-02-28,CIT
        extensions 2024-02-28,2024-04-30
        extensions 2024-04-30,2024-05-31
        2024-02-27 current, due 2024-02-28
        2024-02-28 current, due 2024-04-30
        2024-04-29 current, due 2024-04-30
        2024-04-30 current, due 2024-05-31
        2024-06-01 overdue, due 2024-05-31""",
    ),
    Case(
        "extension-of-grace-on-its-last-day",
        """rule entry_grace_days = 29
        officers 2024-01-31
        extensions 2024-02-29,2024-03-31
        2024-02-28 in grace, due 2024-02-29
        2024-02-29 in grace, due 2024-03-31
        2024-04-01 overdue, due 2024-03-31""",
    ),
    Case(
        "extension-approved-during-leave",
        """rule clock = "rolling"; months = 36; leave = "exclude"; return_grace_days = 5
        completions 2021-02-15,CIT
        leaves 2024-02-10,2024-03-31,medical
        extensions 2024-02-15,2024-06-30
        2024-02-15 excused
        2024-04-01 current, due 2024-06-30
        2024-07-01 overdue, due 2024-06-30""",
    ),
    Case(
        "extension-and-toll-the-later-holds",
        """rule clock = "rolling"; months = 12; leave = "toll"
        completions 2023-03-01,CIT
        leaves 2024-02-20,2024-03-05,medical
        extensions 2024-03-01,2024-03-31
        2024-02-29 current, due 2024-03-16
        2024-03-01 current, due 2024-03-31
        2024-04-01 overdue, due 2024-03-31""",
    ),
    Case(
        "break-of-exactly-the-months",
        """rule clock = "rolling"; months = 36; break_months = 6
        officers 2015-01-01,2023-08-31
        officers 2024-02-29
        completions 2023-01-15,CIT
        2024-02-28 not asked
        2024-02-29 current, due 2026-01-15""",
    ),
    Case(
        "break-of-a-day-more",
        """rule clock = "rolling"; months = 36; break_months = 6
        officers 2015-01-01,2023-08-31
        officers 2024-03-01
        completions 2023-08-31,CIT
        2023-08-31 current, due 2026-08-31
        2024-03-01 in grace, due 2024-03-01
        2024-03-02 overdue, due 2024-03-01""",
    ),
    Case(
        "break-that-leaves-what-was-taken-in-it",
        """rule clock = "rolling"; months = 36; break_months = 6
        officers 2015-01-01,2023-08-31
        officers 2024-03-01
        completions 2023-09-01,CIT
        2024-03-01 current, due 2026-09-01""",
    ),
    Case(
        "cycle-of-months-that-lack-the-day-last",
        """rule clock = "cycle"; cycle_start = 2023-01-31; months = 1
        completions 2023-02-27,CIT
        2023-02-27 current, due 2023-03-30
        2023-03-31 overdue, due 2023-03-30""",
    ),
    Case(
        "cycle-of-months-that-lack-the-day-first",
        """rule clock = "cycle"; cycle_start = 2023-01-31; months = 1
        completions 2023-02-28,CIT
        2023-02-27 in grace, due 2023-02-27
        2023-02-28 current, due 2023-04-29
        2023-04-30 overdue, due 2023-04-29""",
    ),
    Case(
        "cycle-opened-by-an-entry-before-it",
        """rule clock = "cycle"; cycle_start = 2021-07-01; months = 36
        completions 2021-06-30,CIT
        completions 2021-07-01,REF
        2021-06-30 in grace, due 2024-06-30
        2021-07-01 current, due 2027-06-30
        2027-07-01 overdue, due 2027-06-30""",
    ),
    Case(
        "hours-of-a-cycle-first-and-last-day",
        """rule clock = "cycle"; cycle_start = 2021-07-01; months = 36; hours = 16
        completions 2024-06-30,REF
        completions 2024-07-01,REF
        completions 2027-06-30,REF
        2024-06-30 in grace, due 2024-06-30
        2027-06-29 overdue, due 2024-06-30
        2027-06-30 current, due 2030-06-30""",
    ),
    Case(
        "cycle-joined-on-the-last-day-of-a-window",
        """rule clock = "cycle"; cycle_start = 2021-07-01; months = 36; first_due = "next_window_end"
        officers 2024-06-30
        2024-06-30 in grace, due 2027-06-30
        2027-07-01 overdue, due 2027-06-30""",
    ),
    Case(
        "recertified-on-the-first-day",
        """rule clock = "certificate"; months = 24; recert_courses = ["RECERT"]; recert_before_days = 60
        completions 2022-04-30,CIT,,,2024-04-30
        completions 2024-03-01,RECERT
        completions 2025-12-31,RECERT
        2024-02-29 current, due 2024-04-30
        2024-03-01 current, due 2026-03-01
        2025-12-31 current, due 2027-12-31""",
    ),
    Case(
        "recertified-a-day-too-early",
        """rule clock = "certificate"; months = 24; recert_courses = ["RECERT"]; recert_before_days = 60
        completions 2022-04-30,CIT,,,2024-04-30
        completions 2024-02-29,RECERT
        2024-05-01 overdue, due 2024-04-30""",
    ),
    Case(
        "recertified-on-the-last-day",
        """rule clock = "certificate"; months = 24; recert_courses = ["RECERT"]; recert_after_days = 30
        completions 2022-04-30,CIT,,,2024-04-30
        completions 2024-05-30,RECERT
        2024-05-29 overdue, due 2024-04-30
        2024-05-30 current, due 2026-05-30""",
    ),
    Case(
        "recertified-a-day-too-late",
        """rule clock = "certificate"; months = 24; recert_courses = ["RECERT"]; recert_after_days = 30
        completions 2022-04-30,CIT,,,2024-04-30
        completions 2024-05-31,RECERT
        2024-05-31 overdue, due 2024-04-30""",
    ),
    Case(
        "recertification-that-would-shorten",
        """rule clock = "certificate"; months = 24; recert_courses = ["RECERT"]; recert_before_days = 60
        completions 2022-04-30,CIT,,,2024-04-30
        completions 2024-03-01,RECERT,,,2024-04-01
        2024-04-02 current, due 2024-04-30""",
    ),
    Case(
        "hours-of-one-day-together",
        """rule clock = "rolling"; months = 12; hours = 8
        completions 2024-05-01,REF,4,A
        completions 2024-05-01,REF,4,B
        2024-04-30 overdue, due 2015-01-01
        2024-05-01 current, due 2025-05-01""",
    ),
    Case(
        "hours-that-are-over-are-lost",
        """rule clock = "rolling"; months = 12; hours = 8
        completions 2024-05-01,REF,6
        completions 2024-06-01,REF,6,A
        completions 2024-06-01,REF,6,B
        completions 2024-07-01,REF,6
        completions 2024-08-01,REF,2
        2024-05-31 overdue, due 2015-01-01
        2024-06-01 current, due 2025-06-01
        2024-07-31 current, due 2025-06-01
        2024-08-01 current, due 2025-08-01""",
    ),
    Case(
        "hours-on-the-last-day-that-they-count",
        """rule clock = "rolling"; months = 12; hours = 8; hours_window_months = 1
        completions 2024-01-31,REF,4
        completions 2024-02-29,REF,4
        2024-02-29 current, due 2025-02-28""",
    ),
    Case(
        "hours-a-day-after-they-count",
        """rule clock = "rolling"; months = 12; hours = 8; hours_window_months = 1
        completions 2024-01-31,REF,4
        completions 2024-03-01,REF,4
        2024-03-01 overdue, due 2015-01-01""",
    ),
    Case(
        "rolling-hours-of-one-day",
        """rule hours = 8; hours_model = "rolling"; hours_window_months = 1
        completions 2024-01-31,REF,4
        completions 2024-02-29,REF,4
        2024-02-28 overdue, due 2015-01-01
        2024-02-29 current, due 2024-02-29
        2024-03-01 overdue, due 2024-02-29""",
    ),
    Case(
        "rolling-hours-that-newer-ones-replace",
        """rule hours = 8; hours_model = "rolling"; hours_window_months = 12
        completions 2024-01-31,REF,6
        completions 2024-02-29,REF,2
        completions 2024-12-31,REF,6
        2024-02-29 current, due 2025-01-31
        2024-12-31 current, due 2025-02-28
        2025-03-01 overdue, due 2025-02-28""",
    ),
    Case(
        "population-changed-without-a-day-outside",
        """from 2020-01-01
        rule entry_grace_days = 100
        from 2024-03-01
        rule entry_grace_days = 90
        who designations = ["edge-a"]
        officers 2023-12-15
        designations edge-a,2024-03-01
        2024-02-29 in grace, due 2024-03-24
        2024-03-01 in grace, due 2024-03-14
        2024-03-15 overdue, due 2024-03-14""",
    ),
    Case(
        "population-changed-with-a-day-outside",
        """from 2020-01-01
        rule entry_grace_days = 100
        from 2024-03-01
        rule entry_grace_days = 90
        who designations = ["edge-b"]
        officers 2023-12-15
        designations edge-b,2024-03-02
        2024-03-01 not asked
        2024-03-02 in grace, due 2024-05-31
        2024-06-01 overdue, due 2024-05-31""",
    ),
    Case(
        "clock-changed-on-a-day",
        """from 2020-01-01
        rule clock = "once"
        from 2024-07-01
        rule clock = "rolling"; months = 12; effective_to = 2025-02-28
        completions 2023-06-30,CIT
        2019-12-31 not asked
        2024-06-30 current, no due date
        2024-07-01 overdue, due 2024-06-30
        2025-02-28 overdue, due 2024-06-30
        2025-03-01 not asked""",
    ),
    Case(
        "leave-over-a-change-of-editions",
        """from 2020-01-01
        rule clock = "rolling"; months = 24; leave = "none"
        from 2024-03-01
        rule clock = "rolling"; months = 36; leave = "exclude"; return_grace_days = 30
        completions 2021-02-28,CIT
        leaves 2024-02-20,2024-03-10,medical
        2024-02-29 overdue, due 2023-02-28
        2024-03-01 excused
        2024-03-11 in grace, due 2024-04-10
        2024-04-11 overdue, due 2024-04-10""",
    ),
    Case(
        "acting-for-one-day",
        """who ranks = ["sergeant"]; acting_counts = true
        rule entry_grace_days = 0
        assignments P,,officer,home,2020-01-01,
        assignments Q,,sergeant,temporary,2024-02-29,2024-02-29
        2024-02-28 not asked
        2024-02-29 in grace, due 2024-02-29
        2024-03-01 not asked""",
    ),
    Case(
        "acting-out-of-the-population",
        """who ranks = ["sergeant"]; acting_counts = true
        rule entry_grace_days = 10
        assignments P,,sergeant,home,2024-01-01,
        assignments Q,,lieutenant,temporary,2024-02-01,2024-02-29
        2024-01-31 overdue, due 2024-01-11
        2024-02-01 not asked
        2024-03-01 in grace, due 2024-03-11""",
    ),
    Case(
        "equivalent-on-the-first-day",
        """rule clock = "rolling"; months = 12
        completions 2024-01-31,OUT
        completions 2024-02-01,OUT
        2024-01-31 overdue, due 2015-01-01
        2024-02-01 current, due 2025-02-01""",
    ),
    Case(
        "equivalent-on-the-last-day",
        """rule clock = "rolling"; months = 12
        completions 2024-02-29,OUT
        completions 2024-03-01,OUT
        2024-02-29 current, due 2025-02-28
        2024-03-01 current, due 2025-02-28""",
    ),
    Case(
        "plan-on-its-last-and-first-day",
        """rule clock = "rolling"; months = 12
        completions 2024-02-29,CIT,,,,v2
        completions 2024-02-29,CIT,,B,,v1
        completions 2024-03-01,CIT,,,,v1
        2024-02-28 overdue, due 2015-01-01
        2024-03-01 current, due 2025-02-28""",
    ),
    Case(
        "plan-on-the-first-day-of-the-next",
        """rule clock = "rolling"; months = 12
        completions 2024-03-01,CIT,,,,v2
        2024-02-29 overdue, due 2015-01-01
        2024-03-01 current, due 2025-03-01""",
    ),
    Case(
        "service-of-months-that-lack-the-day",
        """rule entry_grace_days = 1
        who min_service_months = 6
        officers 2023-08-31,2023-12-31,recruit
        officers 2024-01-01,,sworn
        2024-02-28 not asked
        2024-02-29 in grace, due 2024-03-01
        2024-03-02 overdue, due 2024-03-01""",
    ),
    Case(
        "tenure-of-months-that-lack-the-day",
        """rule clock = "rolling"; months = 12; refresher_min_tenure_months = 6
        completions 2023-08-31,CIT
        completions 2024-02-28,REF
        2024-02-28 current, due 2024-08-31
        2024-09-01 overdue, due 2024-08-31""",
    ),
    Case(
        "tenure-reached-on-a-leap-day",
        """rule clock = "rolling"; months = 12; refresher_min_tenure_months = 6
        completions 2023-08-31,CIT
        completions 2024-02-29,REF
        2024-02-29 current, due 2025-02-28""",
    ),
    Case(
        "first-due-year-end-or-a-later-day",
        """rule first_due = "year_end"; entry_due_on = 2025-01-31
        officers 2024-12-31
        2024-12-31 in grace, due 2025-01-31
        2025-02-01 overdue, due 2025-01-31""",
    ),
    Case(
        "first-due-at-the-next-year-end",
        """rule first_due = "next_year_end"; entry_due_on = 2025-01-31
        officers 2024-12-31
        2025-12-31 in grace, due 2025-12-31
        2026-01-01 overdue, due 2025-12-31""",
    ),
    Case(
        "waived-on-a-leap-day",
        """rule clock = "rolling"; months = 12; leave = "exclude"; return_grace_days = 3
        completions 2023-02-28,CIT
        waivers 2024-02-28,2024-02-29
        leaves 2024-02-29,2024-03-01,medical
        2024-02-28 excused
        2024-02-29 excused
        2024-03-01 excused
        2024-03-02 overdue, due 2024-02-28""",
    ),
]
#: What comes too late: sent in with the rest, and refused.
LATE = {
    "extension-approved-a-day-late": """rule clock = "rolling"; months = 36
        completions 2021-02-28,CIT
        extensions 2024-02-29,2024-04-30
        2024-02-29 overdue, due 2024-02-28""",
    "extension-on-leave-a-day-late": """rule clock = "rolling"; months = 36; leave = "exclude"
        completions 2021-02-15,CIT
        leaves 2024-02-10,2024-03-31,medical
        extensions 2024-02-16,2024-06-30
        2024-04-01 in grace, due 2024-04-01
        2024-04-02 overdue, due 2024-04-01""",
}


def send(desk: Desk, cases: list[Case]) -> None:
    """Everything in, rules first: of extensions those that come too late are refused."""
    desk.bring("units", "code,name\nP,Patrol\nQ,Other patrol")
    desk.bring("courses", COURSES)
    desk.bring("lesson_plans", PLANS)
    desk.bring("equivalencies", EQUIVALENCIES)
    desk.load("".join(case.toml() for case in cases))
    for kind, columns in HEADERS.items():
        who = "employee_id,last_name,first_name" if kind == "officers" else "employee_id"
        asks = kind in ("waivers", "extensions")
        rows = [f"{who},{'requirement,' if asks else ''}{columns}"]
        for case in cases:
            named = f"{case.name},Hale,Ann" if kind == "officers" else case.name
            told = case.of(kind) or (["2015-01-01"] if kind == "officers" else [])
            rows += [f"{named},{case.name + ',' if asks else ''}{line}" for line in told]
        width = rows[0].count(",")
        text = "\n".join(row + "," * (width - row.count(",")) for row in rows)
        desk.bring(kind, text, refused=len(LATE) if kind == "extensions" else 0)


def test_every_rule_on_its_first_and_last_day(desk: Desk) -> None:
    cases = [*CASES, *(Case(name, lines) for name, lines in LATE.items())]

    send(desk, cases)

    lines = {case.name: desk.ask("timeline", "--officer", case.name, "--requirement", case.name) for case in cases}
    found = {case.name: [(day, on_day(lines[case.name], day)) for day, _ in case.answers] for case in cases}
    assert found == {case.name: case.answers for case in cases}


def test_who_is_available_where_on_the_first_and_last_day(desk: Desk) -> None:
    """At home in P; working at Q on 29 February alone; on leave on 2 and 3 March; not current from 5 March on."""
    desk.bring("units", "code,name\nP,Patrol\nQ,Other patrol")
    desk.bring("courses", COURSES)
    desk.hire("1", "2")
    desk.bring(
        "assignments",
        "employee_id,unit,kind,start_on,end_on\n1,P,home,2020-01-01,\n2,Q,home,2020-01-01,\n"
        "1,Q,temporary,2024-02-29,2024-02-29",
    )
    desk.bring("leaves", "employee_id,kind,start_on,end_on\n1,medical,2024-03-02,2024-03-03")
    desk.complete("1,CIT,2023-03-04")
    goal = 'counts = "available"\ntarget_percent = 0\neach = "unit"\nmin_count = 1'
    desk.require("cit", entry_courses=["CIT"], months=12, goal=goal)

    days = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04", "2024-03-05"]
    found = {day: desk.ask("goals", "--as-of", day)[0] for day in days}

    assert {day: [group["have"] for group in goal["groups"]] for day, goal in found.items()} == {
        "2024-02-28": [1, 0],
        "2024-02-29": [0, 1],
        "2024-03-01": [1, 0],
        "2024-03-02": [0, 0],
        "2024-03-03": [0, 0],
        "2024-03-04": [1, 0],
        "2024-03-05": [0, 0],
    }
    assert [found[day]["short"] for day in days] == [1, 1, 1, 2, 2, 1, 2]


def test_a_corrected_row_is_known_from_its_correction_on(desk: Desk) -> None:
    """A file sent again with another answer voids the row and records what it says now; both stay known."""
    desk.bring("courses", COURSES)
    desk.hire("1", at="2024-02-01T09:00")
    desk.require("cit", entry_courses=["CIT"], months=12, entry_grace_days=0)
    rows = "employee_id,course,completed_on,result\n1,CIT,2024-02-28,{}"
    desk.bring("completions", rows.format("passed"), at="2024-02-29T23:59:59")
    desk.bring("completions", rows.format("failed"), at="2024-03-01T00:00:00")

    asked = {
        known: desk.state_of("1", "2024-02-29", "--known-at", known)
        for known in ("2024-02-28", "2024-02-29", "2024-02-29T23:59:58", "2024-02-29T23:59:59", "2024-03-01T00:00:00")
    }

    overdue = ("overdue", "2015-01-01")
    assert asked == {
        "2024-02-28": overdue,
        "2024-02-29": ("current", "2025-02-28"),
        "2024-02-29T23:59:58": overdue,
        "2024-02-29T23:59:59": ("current", "2025-02-28"),
        "2024-03-01T00:00:00": overdue,
    }
