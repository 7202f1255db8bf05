"""The demo's classes are made on whatever day the demo is first run, and in the smallest department."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.demo import make_department, record_department
from compliance.demo.desk import lay_on_desk
from compliance.demo.sign_ins import make_users
from compliance.demo.taught import hold_classes
from roster.models import Officer
from training.models import ClassSession

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 3, 9), date(2026, 5, 30)], ids=str)
def test_classes_are_made_on_any_day_and_of_a_small_department(today: date) -> None:
    department = make_department(20, seed=7, today=today, transcripts=False)
    users = make_users()
    agency = record_department(department, by=users)
    officer = Officer.objects.filter(agency=agency).serving_on(today).earliest("employee_id")

    hold_classes(department, agency, by=users["academy"], shown=officer)
    lay_on_desk(agency, users, today=today, shown=officer)

    assert ClassSession.objects.filter(state="planned").count() == 6
