"""The page of a job: every kind of work, while it waits, at work and failed."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from compliance.models import Job
from compliance.tasks import HANDLERS
from compliance.views.jobs import TITLES
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown

pytestmark = pytest.mark.django_db

AT_WORK = "You may leave this page; the work goes on."


def test_every_kind_of_work_has_a_title() -> None:
    assert set(TITLES) == set(HANDLERS)


@pytest.mark.parametrize("kind", sorted(HANDLERS))
def test_the_page_of_a_job_opens_before_there_is_a_result(cast: Cast, kind: str) -> None:
    asked = {"preview": str(uuid4())} if kind.startswith("change_") else {}
    job = Job.objects.create(kind=kind, arguments=asked, requested_by=cast.users["compliance"])
    client, address = cast.client("compliance"), reverse("job-detail", args=[job.key])

    waiting = Shown(client.get(address))
    Job.objects.filter(pk=job.pk).update(state="running", done=1000, total=1204)
    running = Shown(client.get(address))
    Job.objects.filter(pk=job.pk).update(state="failed", error="It could not be done.")
    failed = Shown(client.get(address))

    assert f"{AT_WORK} Waiting for its turn." in waiting.words
    assert f"{AT_WORK} At work : 1,000 of 1,204" in running.words
    assert "▲ failed It could not be done." in failed.words
    assert AT_WORK not in failed.words
