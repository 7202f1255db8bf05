"""Handing out files: to whoever may open what they belong to, to be saved, and only as they were stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.urls import reverse

from roster.file_types import LESSON_PLANS
from roster.files import StoredFile, keep, keeping
from roster.merging import merge
from tests.compliance.pages.cast import Cast
from tests.factories import complete, make_agency, make_class, make_lesson_plan, make_officer, make_user
from tests.uploads import PDF, sent
from training.completions import correct_completion, void_completion
from training.models import ClassPaper, CompletionFile

pytestmark = pytest.mark.django_db

EVERYBODY = {"academy", "chief", "compliance", "auditor", "admin", "commander", "elsewhere", "officer"}


@pytest.fixture
def stored(cast: Cast) -> StoredFile:
    with keeping():
        return keep(sent(name="certificate.html"), agency=cast.central.agency, by=None, kinds=LESSON_PLANS)


def openers(cast: Cast, stored: StoredFile) -> set[str]:
    """The roles that get the file; a 404 for all the others."""
    codes = {role: cast.client(role).get(reverse("file", args=[stored.key])).status_code for role in cast.users}
    assert set(codes.values()) <= {200, 404}
    return {role for role, code in codes.items() if code == 200}


def of_nothing(cast: Cast, stored: StoredFile) -> None:
    """It belongs to nothing."""


def of_a_completion(cast: Cast, stored: StoredFile) -> None:
    CompletionFile.objects.create(completion=cast.entry, file=stored)


def of_a_corrected_completion(cast: Cast, stored: StoredFile) -> None:
    of_a_completion(cast, stored)
    correct_completion(cast.entry, why="Typing error", by=cast.users["academy"], hours=36)


def of_a_voided_completion(cast: Cast, stored: StoredFile) -> None:
    of_a_completion(cast, stored)
    void_completion(cast.entry, why="Never happened", by=cast.users["academy"])


def of_two_completions(cast: Cast, stored: StoredFile) -> None:
    of_a_completion(cast, stored)
    CompletionFile.objects.create(completion=complete(cast.jonah, cast.basic, date(2019, 5, 3)), file=stored)


def of_a_record_merged_into_amaras(cast: Cast, stored: StoredFile) -> None:
    second = make_officer("000777", last_name="Whitfield-Ames", unit=cast.eastern)
    CompletionFile.objects.create(completion=complete(second, cast.refresher, date(2020, 5, 3)), file=stored)
    merge(cast.amara, second, why="One person", by=cast.users["academy"])


def of_a_lesson_plan(cast: Cast, stored: StoredFile) -> None:
    plan = make_lesson_plan(cast.basic, "v2019", date(2019, 1, 1))
    plan.file = stored
    plan.save()


def of_a_class(cast: Cast, stored: StoredFile) -> None:
    ClassPaper.objects.create(session=make_class(), kind=ClassPaper.Kind.SIGN_IN, file=stored)


def of_a_class_elsewhere(cast: Cast, stored: StoredFile) -> None:
    cast.users = {"academy": make_user("academy", "pd", agency=cast.central.agency), "admin": cast.users["admin"]}
    session = make_class(agency=make_agency("so", "County Sheriff"))
    ClassPaper.objects.create(session=session, kind=ClassPaper.Kind.SIGN_IN, file=stored)


OF_CENTRAL = EVERYBODY - {"elsewhere"}


@pytest.mark.parametrize(
    ("belong", "who"),
    [
        pytest.param(of_nothing, set(), id="nothing"),
        pytest.param(of_a_completion, OF_CENTRAL, id="completion"),
        pytest.param(of_a_corrected_completion, OF_CENTRAL, id="corrected"),
        pytest.param(of_a_voided_completion, OF_CENTRAL, id="voided"),
        pytest.param(of_two_completions, EVERYBODY, id="two-completions"),
        pytest.param(of_a_record_merged_into_amaras, OF_CENTRAL, id="merged"),
        pytest.param(of_a_lesson_plan, EVERYBODY - {"officer"}, id="lesson-plan"),
        pytest.param(of_a_class, EVERYBODY - {"officer", "commander", "elsewhere"}, id="class"),
        pytest.param(of_a_class_elsewhere, {"admin"}, id="class-of-another-agency"),
    ],
)
def test_a_file_is_for_those_who_may_open_what_it_belongs_to(
    cast: Cast, stored: StoredFile, belong: Callable[[Cast, StoredFile], None], who: set[str]
) -> None:
    belong(cast, stored)

    assert openers(cast, stored) == who


def test_a_file_is_saved_and_never_shown(cast: Cast, stored: StoredFile) -> None:
    of_a_completion(cast, stored)

    response = cast.client("academy").get(reverse("file", args=[stored.key]))

    assert b"".join(response) == PDF
    assert response["Content-Disposition"] == 'attachment; filename="certificate.html.pdf"'
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cache-Control"] == "private, no-store"


def test_a_file_that_was_altered_is_not_handed_out(
    cast: Cast, stored: StoredFile, caplog: pytest.LogCaptureFixture
) -> None:
    of_a_completion(cast, stored)
    (Path(django_settings.MEDIA_ROOT) / stored.stored_as).write_bytes(PDF.replace(b"1.7", b"1.6"))

    response = cast.client("academy").get(reverse("file", args=[stored.key]))

    assert response.status_code == 409
    assert "certificate.html is not the file that was stored." in response.content.decode()
    assert stored.sha256 in response.content.decode()
    assert str(stored.key) in caplog.text
    assert stored.name not in caplog.text  # files are often called after people


def test_what_cannot_be_received_is_answered_with_one_sentence(cast: Cast, settings: Any, tmp_path: Path) -> None:
    session = make_class()
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "gone")

    response = cast.client("academy").post(
        reverse("class-papers", args=[session.number]), {"kind": "roster", "file": sent()}
    )

    assert response.status_code == 400
    assert "The file could not be received: the server&#x27;s disk is full" in response.content.decode()
    assert not ClassPaper.objects.exists()


def test_no_file_has_such_a_key(cast: Cast) -> None:
    assert cast.client("admin").get(reverse("file", args=[uuid4()])).status_code == 404


def test_asking_costs_seven_queries_at_most(cast: Cast, stored: StoredFile, django_assert_max_num_queries: Any) -> None:
    of_a_completion(cast, stored)
    viewer = cast.client("elsewhere")

    with django_assert_max_num_queries(4 + 7):  # session, user, access, tree; then these
        viewer.get(reverse("file", args=[stored.key]))
