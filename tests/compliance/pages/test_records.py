"""Hired, transferred, on leave, back, separated: by form."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from roster import records
from roster.models import Employment, Leave, Officer
from tests.compliance.pages.cast import Cast
from tests.factories import make_agency, make_officer, make_shift, take_leave

pytestmark = pytest.mark.django_db

NEW = {
    "employee_id": "004100",
    "last_name": "Osei",
    "first_name": "Ruth",
    "hired_on": "2026-03-02",
    "category": "recruit",
}


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_hire_by_form(cast: Cast) -> None:
    data = {**NEW, "agency": make_agency().pk, "unit": cast.central.pk, "shift": make_shift().pk}

    response = cast.client("academy").post(reverse("officer-hire"), data)

    officer = Officer.objects.get(employee_id="004100")
    assert response["Location"] == reverse("officer-detail", args=["004100"])
    (home,) = records.homes_of(officer)
    assert (home.unit, home.start_on, home.recorded_in.by) == (cast.central, date(2026, 3, 2), cast.users["academy"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(
            {"employee_id": "002918"}, "Amara Whitfield has this id. If that is who comes back, tick", id="taken"
        ),
        pytest.param({"hired_on": "2226-03-02"}, "The first day, 2 Mar 2226, cannot be right.", id="far-ahead"),
        pytest.param({"hired_on": ""}, "First day employed: fill this in.", id="no-day"),
        pytest.param({"shift": "days"}, "Choose the unit that the shift and rank belong to.", id="shift-alone"),
        pytest.param({"again": "on"}, "Nobody has had the id 004100.", id="nobody-comes-back"),
    ],
)
def test_hire_says_what_is_wrong(cast: Cast, values: dict[str, Any], sentence: str) -> None:
    if "shift" in values:
        values = {"shift": make_shift().pk}

    response = cast.client("academy").post(reverse("officer-hire"), {**NEW, "agency": make_agency().pk, **values})

    assert response.status_code == 400
    assert sentence in words(response)
    assert Officer.objects.count() == 2


def test_rehire_by_form_is_recorded_once(cast: Cast) -> None:
    records.separate(cast.amara, last_day=date(2020, 5, 31), by=None)
    data = {**NEW, "agency": make_agency().pk, "employee_id": "002918", "last_name": "Whitfield", "again": "on"}
    client = cast.client("academy")

    client.post(reverse("officer-hire"), data)
    client.post(reverse("officer-hire"), data)

    stand = Employment.objects.known().filter(officer=cast.amara)
    assert stand.count() == 2


def test_transfer_by_form_sent_twice_records_once(cast: Cast) -> None:
    home = records.open_home(cast.amara)
    assert home is not None
    data = {"unit": cast.eastern.pk, "start_on": "2026-07-01", "seen": home.pk}
    client, address = cast.client("academy"), reverse("officer-transfer", args=["002918"])

    page = words(client.get(address))
    client.post(address, data)
    client.post(address, data)

    assert "now Central District · days since 4 Mar 2016" in page
    assert [(row.unit, row.end_on) for row in records.homes_of(cast.amara)] == [
        (cast.central, date(2026, 6, 30)),
        (cast.eastern, None),
    ]


def test_transfer_tells_whoever_comes_second(cast: Cast) -> None:
    home = records.open_home(cast.amara)
    assert home is not None
    client, address = cast.client("academy"), reverse("officer-transfer", args=["002918"])
    client.post(address, {"unit": cast.eastern.pk, "start_on": "2026-07-01", "seen": home.pk})

    second = client.post(address, {"unit": cast.bureau.pk, "start_on": "2026-07-01", "seen": home.pk})

    assert second.status_code == 400
    assert records.MEANWHILE in words(second).replace("&#x27;", "'")


def test_leave_and_return_by_form(cast: Cast) -> None:
    client, address = cast.client("academy"), reverse("officer-leave", args=["002918"])

    client.post(address, {"kind": "Military ", "start_on": "2026-04-01", "approval": "HR-17"})
    (leave,) = records.open_leaves(cast.amara)
    page = words(client.get(address))
    client.post(address, {"act": "return", "leave": leave.pk, "back_on": "2026-06-01"})
    client.post(address, {"act": "return", "leave": leave.pk, "back_on": "2026-06-01"})

    assert "Military leave since 1 Apr 2026, no last day yet." in page
    (stands,) = Leave.objects.known().filter(officer=cast.amara)
    assert (stands.kind, stands.end_on) == ("military", date(2026, 5, 31))


def test_return_from_the_leave_of_another_member_is_refused(cast: Cast) -> None:
    leave = take_leave(cast.jonah, date(2026, 4, 1))

    response = cast.client("academy").post(
        reverse("officer-leave", args=["002918"]), {"act": "return", "leave": leave.pk, "back_on": "2026-06-01"}
    )

    assert response.status_code == 400
    leave.refresh_from_db()
    assert leave.voided_in is None


def test_leave_that_ends_before_it_begins_is_refused(cast: Cast) -> None:
    response = cast.client("academy").post(
        reverse("officer-leave", args=["002918"]),
        {"kind": "medical", "start_on": "2026-04-01", "end_on": "2026-03-31"},
    )

    assert response.status_code == 400
    assert "The last day is before the first day." in words(response)


def test_separate_says_what_it_ends(cast: Cast) -> None:
    take_leave(cast.amara, date(2026, 4, 1))
    client, address = cast.client("academy"), reverse("officer-separate", args=["002918"])

    page = words(client.get(address))
    client.post(address, {"last_day": "2026-06-30"})
    after = words(client.get(address))

    assert "the employment as sworn since 4 Mar 2016" in page
    assert "the home assignment to Central District · days since 4 Mar 2016" in page
    assert "the medical leave since 1 Apr 2026" in page
    assert records.what_separation_ends(cast.amara) is None
    assert "Amara Whitfield is not employed, so there is nothing to end." in after


def test_an_id_of_two_agencies_asks_which(cast: Cast) -> None:
    make_officer("002918", agency=make_agency("so", "County Sheriff"), last_name="Okonkwo")

    response = cast.client("academy").get(reverse("officer-transfer", args=["002918"]), {"agency": "pd"})

    assert "Transfer Amara Whitfield" in words(response)
