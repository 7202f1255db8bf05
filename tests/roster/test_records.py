"""What a person records about a member by hand."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.db import connection

from roster import records
from roster.facts import Change, FactRefused
from roster.models import Assignment, Employment, Leave, Officer
from roster.records import Place
from tests.factories import make_agency, make_officer, make_rank, make_shift, make_unit, take_leave

DETAILS = {"employee_id": "002918", "last_name": "Whitfield", "first_name": "Amara"}


def homes(officer: Officer) -> list[tuple[str, date, date | None]]:
    return [(home.unit.code, home.start_on, home.end_on) for home in records.homes_of(officer)]


@pytest.mark.django_db
def test_hire_records_member_employment_and_home() -> None:
    unit, days, rank = make_unit("CEN"), make_shift("days"), make_rank()

    officer = records.hire(
        make_agency(),
        DETAILS,
        hired_on=date(2026, 3, 2),
        category="recruit",
        place=Place(unit, days, rank),
        by=None,
    )

    assert [(job.start_on, job.end_on, job.category) for job in officer.employments.all()] == [
        (date(2026, 3, 2), None, "recruit")
    ]
    (home,) = records.homes_of(officer)
    assert (home.unit, home.shift, home.rank, home.start_on) == (unit, days, rank, date(2026, 3, 2))
    assert Change.objects.count() == 1


@pytest.mark.django_db
def test_hire_refuses_an_id_that_is_taken_in_another_case() -> None:
    make_officer("a0071")

    with pytest.raises(FactRefused, match="The agency has a member with this employee id already"):
        records.hire(
            make_agency(),
            {**DETAILS, "employee_id": "A0071"},
            hired_on=date(2026, 3, 2),
            category="sworn",
            place=None,
            by=None,
        )

    assert Officer.objects.count() == 1


@pytest.mark.django_db
def test_rehire_needs_a_separation_first_and_is_recorded_once() -> None:
    officer = make_officer(hired_on=date(2016, 3, 4))

    with pytest.raises(FactRefused, match="since 4 Mar 2016 without a last day"):
        records.rehire(officer, hired_on=date(2026, 3, 2), category="sworn", place=None, by=None)
    records.separate(officer, last_day=date(2020, 5, 31), by=None)
    first = records.rehire(officer, hired_on=date(2026, 3, 2), category="sworn", place=None, by=None)
    again = records.rehire(officer, hired_on=date(2026, 3, 2), category="sworn", place=None, by=None)

    assert (first, again) == (True, False)
    stand = Employment.objects.known().filter(officer=officer).order_by("start_on")
    assert [(job.start_on, job.end_on) for job in stand] == [
        (date(2016, 3, 4), date(2020, 5, 31)),
        (date(2026, 3, 2), None),
    ]


@pytest.mark.django_db
def test_transfer_ends_the_assignment_the_day_before() -> None:
    central, eastern = make_unit("CEN"), make_unit("EAS")
    officer = make_officer(unit=central, hired_on=date(2016, 3, 4))
    before = records.open_home(officer)
    assert before is not None

    is_new = records.transfer(officer, Place(eastern), start_on=date(2026, 7, 1), seen=before.pk, by=None)

    assert is_new
    assert homes(officer) == [("CEN", date(2016, 3, 4), date(2026, 6, 30)), ("EAS", date(2026, 7, 1), None)]
    ended = records.homes_of(officer)[0]
    assert ended.replaces == before
    before.refresh_from_db()
    assert before.voided_in == ended.recorded_in


@pytest.mark.django_db
def test_transfer_sent_twice_records_once() -> None:
    central, eastern = make_unit("CEN"), make_unit("EAS")
    officer = make_officer(unit=central)
    before = records.open_home(officer)
    assert before is not None

    first = records.transfer(officer, Place(eastern), start_on=date(2026, 7, 1), seen=before.pk, by=None)
    again = records.transfer(officer, Place(eastern), start_on=date(2026, 7, 1), seen=before.pk, by=None)

    assert (first, again) == (True, False)
    assert len(homes(officer)) == 2


@pytest.mark.django_db
def test_transfer_refuses_what_cannot_be() -> None:
    central, closed = make_unit("CEN"), make_unit("OLD", closed_on=date(2020, 1, 31), name="Old Annex")
    officer = make_officer(unit=central, hired_on=date(2016, 3, 4))
    home = records.open_home(officer)
    assert home is not None

    with pytest.raises(FactRefused, match="Choose a later first day"):
        records.transfer(officer, Place(closed), start_on=date(2016, 3, 4), seen=home.pk, by=None)
    with pytest.raises(FactRefused, match="has this unit, shift and rank already"):
        records.transfer(officer, Place(central), start_on=date(2026, 7, 1), seen=home.pk, by=None)
    with pytest.raises(FactRefused, match="Old Annex closed on 31 Jan 2020"):
        records.transfer(officer, Place(closed), start_on=date(2026, 7, 1), seen=home.pk, by=None)

    assert homes(officer) == [("CEN", date(2016, 3, 4), None)]


@pytest.mark.django_db(transaction=True)
def test_transfer_tells_the_second_of_two_writers() -> None:
    central, eastern, western = make_unit("CEN"), make_unit("EAS"), make_unit("WES")
    officer = make_officer(unit=central, hired_on=date(2016, 3, 4))
    home = records.open_home(officer)
    assert home is not None
    together, said = threading.Barrier(2), []

    def write(place: Place) -> None:
        try:
            together.wait()
            records.transfer(officer, place, start_on=date(2026, 7, 1), seen=home.pk, by=None)
            said.append("recorded")
        except FactRefused as error:
            said.append(error.messages[0])
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[Place(unit)]) for unit in (eastern, western)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(said) == [records.MEANWHILE, "recorded"]
    assert len(homes(officer)) == 2


@pytest.mark.django_db
def test_leave_and_return() -> None:
    officer = make_officer()

    first = records.take_leave(
        officer, kind="medical", start_on=date(2026, 4, 1), end_on=None, approval="HR-17", by=None
    )
    again = records.take_leave(
        officer, kind="medical", start_on=date(2026, 4, 1), end_on=None, approval="HR-17", by=None
    )
    (leave,) = records.open_leaves(officer)
    back = records.end_leave(leave, back_on=date(2026, 6, 1), by=None)
    back_again = records.end_leave(leave, back_on=date(2026, 6, 1), by=None)

    assert (first, again, back, back_again) == (True, False, True, False)
    (stands,) = Leave.objects.known().filter(officer=officer)
    assert (stands.end_on, stands.approval, stands.replaces) == (date(2026, 5, 31), "HR-17", leave)


@pytest.mark.django_db
def test_leave_refuses_days_of_the_same_leave_and_a_return_before_it() -> None:
    officer = make_officer()
    leave = take_leave(officer, date(2026, 4, 1))

    with pytest.raises(FactRefused, match="medical leave from 1 Apr 2026 without a last day already"):
        records.take_leave(
            officer, kind="medical", start_on=date(2026, 5, 1), end_on=date(2026, 5, 2), approval="", by=None
        )
    with pytest.raises(FactRefused, match="The leave began on 1 Apr 2026"):
        records.end_leave(leave, back_on=date(2026, 4, 1), by=None)

    assert Leave.objects.count() == 1


@pytest.mark.django_db
def test_separate_ends_everything_open() -> None:
    officer = make_officer(unit=make_unit("CEN"), hired_on=date(2016, 3, 4))
    take_leave(officer, date(2026, 4, 1))
    ends = records.what_separation_ends(officer)
    assert ends is not None
    assert (len(ends.assignments), len(ends.leaves)) == (1, 1)

    first = records.separate(officer, last_day=date(2026, 6, 30), by=None)
    again = records.separate(officer, last_day=date(2026, 6, 30), by=None)

    assert (first, again) == (True, False)
    for model in (Employment, Assignment, Leave):
        assert [fact.end_on for fact in model.objects.known().filter(officer=officer)] == [date(2026, 6, 30)]
    with pytest.raises(FactRefused, match="is not employed any more"):
        records.separate(officer, last_day=date(2026, 7, 31), by=None)


@pytest.mark.django_db
def test_separate_refuses_a_day_before_the_first_and_what_begins_later() -> None:
    officer = make_officer(unit=make_unit("CEN"), hired_on=date(2016, 3, 4), assigned_on=date(2026, 9, 1))

    with pytest.raises(FactRefused, match="The employment began on 4 Mar 2016"):
        records.separate(officer, last_day=date(2016, 3, 3), by=None)
    with pytest.raises(FactRefused, match="begins on 1 Sep 2026, after the last day"):
        records.separate(officer, last_day=date(2026, 6, 30), by=None)

    assert Employment.objects.known().filter(officer=officer, end_on=None).count() == 1
