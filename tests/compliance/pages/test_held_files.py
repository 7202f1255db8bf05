"""Files chosen on a page that asks before it records: held through its questions, for who chose them alone."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from roster.files import ChosenFile, StoredFile, open_file, sweep
from tests.compliance.pages.cast import Cast
from tests.compliance.pages.reading import Shown
from tests.factories import complete
from tests.uploads import PDF, jpeg, sent
from training.completions import files_of
from training.models import Completion, CompletionFile

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 2)


class Desk:
    """Somebody at the log page: what they typed, and what the page holds for them."""

    def __init__(self, cast: Cast, people: str = "2918", role: str = "academy") -> None:
        self.cast, self.client = cast, cast.client(role)
        self.fields: dict[str, Any] = {
            "course": cast.refresher.pk,
            "completed_on": DAY.isoformat(),
            "evidence": "verified",
            "people": people,
        }

    def send(
        self, *papers: Any, act: str = "look", without: str = "", picks: dict[str, int] | None = None, **values: Any
    ) -> Shown:
        """Send the page as it stands, with these files chosen and one unticked."""
        self.fields |= values | (picks or {})
        ticked = [key for name, key in self.held.items() if name != without]
        data = {**self.fields, "act": act, "papers": papers, "listed": list(self.held.values()), "kept": ticked}
        self.response = self.client.post(reverse("completion-log"), data, follow=True)
        if form := (self.response.context or {}).get("form"):
            self.fields["shown"] = getattr(form, "data", {}).get("shown", "")
        return Shown(self.response)

    @property
    def held(self) -> dict[str, str]:
        """Name -> key of the files that the page holds ticked."""
        html = self.response.content.decode() if hasattr(self, "response") else ""
        found = re.findall(r'name="kept" value="([^"]+)"[^>]* checked>\s*<label[^>]*>(.*?) <span', html)
        return {name: key for key, name in found}

    def made(self) -> list[list[str]]:
        """The names of the files of each completion that was made."""
        rows = Completion.objects.filter(course=self.cast.refresher).order_by("pk")
        given = files_of([row.pk for row in rows])
        return [sorted(file.name for file in given.get(row.pk, ())) for row in rows]


def bytes_kept() -> set[str]:
    root = Path(settings.MEDIA_ROOT)
    return {str(path.relative_to(root)) for path in (root / "files").rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path) -> Any:
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        yield


def test_files_stay_while_the_list_is_looked_up_again(cast: Cast) -> None:
    desk = Desk(cast)

    first = desk.send(sent(name="sign-in.pdf"), sent(jpeg(), "page 2.jpg"))
    held = dict(desk.held)
    desk.send(people="2918\n3377")
    recorded = desk.send(act="record")

    assert list(held) == ["sign-in.pdf", "page 2.jpg"]
    assert "1 found" in first.words
    assert "2 completions recorded" in recorded.words
    assert desk.made() == [["page 2.jpg", "sign-in.pdf"]] * 2
    assert not ChosenFile.objects.exists()
    stored = StoredFile.objects.order_by("pk")
    assert {str(row.key) for row in stored} == set(held.values())
    assert [open_file(row).read() for row in stored] == [PDF, jpeg()]
    assert bytes_kept() == {row.stored_as for row in stored}


def test_files_chosen_with_the_last_click_are_recorded_too(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(sent(name="sign-in.pdf"))

    desk.send(sent(jpeg(), "page 2.jpg"), act="record")

    assert desk.made() == [["page 2.jpg", "sign-in.pdf"]]


@pytest.mark.parametrize("act", ["look", "record"])
def test_a_refused_file_takes_nothing_else_with_it(cast: Cast, act: str) -> None:
    complete(cast.jonah, cast.refresher, DAY - timedelta(days=2))
    desk = Desk(cast, "2918\n3377")
    desk.send(sent(name="sign-in.pdf"), hours="6", class_number="C-7", picks={"pick-2": cast.jonah.pk})

    page = desk.send(sent(b"<html>", "page 2.pdf"), sent(jpeg(), "page 3.jpg"), act=act)

    assert desk.response.status_code == 400
    assert "page 2.pdf is of no type that can be kept here. Send PDF, PNG or JPEG." in page.words
    assert list(desk.held) == ["sign-in.pdf", "page 3.jpg"]
    assert "2 found" in page.words  # the answer to the look-alike is kept
    html = desk.response.content.decode()
    assert all(f'value="{typed}"' in html for typed in ("6", "C-7"))
    assert not Completion.objects.filter(course=cast.refresher, officer=cast.amara).exists()
    desk.send(act="record")
    assert desk.made() == [[], *[["page 3.jpg", "sign-in.pdf"]] * 2]


def test_another_mistake_on_the_page_takes_neither_files_nor_answers(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, DAY - timedelta(days=2))
    desk = Desk(cast)
    desk.send(sent(name="sign-in.pdf"))

    wrong = desk.send(hours="lots", picks={"pick-1": cast.amara.pk})

    assert (desk.response.status_code, list(desk.held)) == (400, ["sign-in.pdf"])
    assert "Enter a number." in wrong.words
    assert f'name="pick-1" value="{cast.amara.pk}"' in desk.response.content.decode()


def test_the_same_file_twice_is_one(cast: Cast) -> None:
    desk = Desk(cast)

    desk.send(sent(name="sign-in.pdf"), sent(name="sign-in (1).pdf"))
    desk.send(sent(name="again.pdf"))
    desk.send(act="record")

    assert desk.made() == [["sign-in.pdf"]]
    assert (StoredFile.objects.count(), ChosenFile.objects.count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_an_unticked_file_is_gone_at_once(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(sent(name="sign-in.pdf"), sent(jpeg(), "wrong person.jpg"))

    desk.send(act="record", without="wrong person.jpg")

    assert desk.made() == [["sign-in.pdf"]]
    assert not ChosenFile.objects.exists()
    assert bytes_kept() == {StoredFile.objects.get().stored_as}


def test_no_more_than_twenty_are_held(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(*(sent(jpeg(1, number), f"{number}.jpg") for number in range(1, 20)))

    page = desk.send(sent(jpeg(2, 1), "20.jpg"), sent(jpeg(2, 2), "21.jpg"))

    assert desk.response.status_code == 400
    assert "With these there are 21 files; 20 can be added at a time." in page.words
    assert (len(desk.held), ChosenFile.objects.count()) == (19, 19)


@override_settings(FILE_MAX_BYTES=100)
def test_the_limit_of_size_holds(cast: Cast) -> None:
    desk = Desk(cast)

    page = desk.send(sent(PDF[:-6] + b" " * 100 + PDF[-6:], "large.pdf"), sent(name="small.pdf"))

    assert "large.pdf is larger than" in page.words
    assert (list(desk.held), len(bytes_kept())) == (["small.pdf"], 1)


def test_sent_twice_it_is_recorded_once_with_its_file(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(sent(name="sign-in.pdf"))
    data = {**desk.fields, "act": "record", "listed": list(desk.held.values()), "kept": list(desk.held.values())}

    first, second = (desk.client.post(reverse("completion-log"), data, follow=True) for _ in range(2))

    assert "1 completion recorded" in Shown(first).words
    assert "had this completion already; nothing was recorded twice." in Shown(second).words
    assert (desk.made(), StoredFile.objects.count()) == ([["sign-in.pdf"]], 1)


def test_a_sheet_that_proved_one_day_proves_another_from_the_same_page(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(sent(name="sign-in.pdf"))
    keys = {"listed": list(desk.held.values()), "kept": list(desk.held.values())}
    desk.send(act="record")

    later = {**desk.fields, **keys, "completed_on": (DAY + timedelta(days=30)).isoformat()}
    looked = desk.client.post(reverse("completion-log"), {**later, "act": "look"})
    shown = looked.context["form"].data["shown"]
    desk.client.post(reverse("completion-log"), {**later, "act": "record", "shown": shown})

    assert desk.made() == [["sign-in.pdf"]] * 2
    assert StoredFile.objects.count() == 1


def test_a_file_that_was_swept_is_asked_for_again(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(sent(name="sign-in.pdf"), sent(jpeg(), "page 2.jpg"))
    ChosenFile.objects.filter(name="sign-in.pdf").update(uploaded_at=timezone.now() - timedelta(days=2))
    sweep()

    page = desk.send(act="record")
    listed = list(desk.held)
    desk.send(act="record")

    assert "A file that you chose is not held any more. Choose it again." in page.words
    assert listed == ["page 2.jpg"]
    assert desk.made() == [["page 2.jpg"]]


def open_by(client: Client, key: str) -> int:
    return client.get(reverse("file", args=[key])).status_code


def test_what_somebody_chose_is_theirs_alone(cast: Cast) -> None:
    desk, other = Desk(cast), Desk(cast, "3377", role="admin")
    desk.send(sent(name="sign-in.pdf"))
    (key,) = desk.held.values()

    roles = {role: open_by(cast.client(role), key) for role in ("academy", "admin", "officer", "commander", "chief")}
    stolen = other.client.post(reverse("completion-log"), {**other.fields, "act": "look", "kept": [key]})
    other.client.post(reverse("completion-log"), {**other.fields, "act": "look", "listed": [key]})

    assert roles == {"academy": 200, "admin": 404, "officer": 404, "commander": 404, "chief": 404}
    assert "is not held any more" in Shown(stolen).words
    assert ChosenFile.objects.get().name == "sign-in.pdf"


@pytest.mark.parametrize("key", ["", "x", "9" * 400, "00000000-0000-0000-0000-00000000000g"])
def test_what_is_no_key_is_ignored(cast: Cast, key: str) -> None:
    desk = Desk(cast)

    response = desk.client.post(
        reverse("completion-log"), {**desk.fields, "act": "look", "kept": [key], "listed": [key]}
    )

    assert response.status_code == 200


def test_the_sweep_takes_what_was_chosen_and_recorded_with_nothing(cast: Cast) -> None:
    desk = Desk(cast)
    desk.send(sent(name="old.pdf"), sent(jpeg(), "young.jpg"))
    old, young = ChosenFile.objects.order_by("pk")
    ChosenFile.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - timedelta(hours=25))

    removed_now = sweep()
    removed_later = sweep(timedelta(0)) if not ChosenFile.objects.filter(pk=old.pk).exists() else 0

    assert (removed_now, removed_later) == (0, 2)  # bytes of today are left to the next night
    assert (ChosenFile.objects.count(), bytes_kept()) == (0, set())
    assert young.name == "young.jpg"


def test_a_member_who_is_asked_about_a_report_keeps_the_certificate(cast: Cast) -> None:
    complete(cast.amara, cast.refresher, DAY - timedelta(days=3))
    client = cast.client("officer")
    data = {
        "officer": cast.amara.pk,
        "course": cast.refresher.pk,
        "completed_on": DAY.isoformat(),
        "provider": "State College",
    }

    asked = client.post(reverse("my-report"), {**data, "paper": sent(jpeg(), "photo.jpg")})
    changed = client.post(reverse("my-report"), {**data, "paper": sent(), **listed(asked)})
    (field,) = re.findall(r'<input type="file"[^>]*>', changed.content.decode())
    again = {**data, **listed(changed), "is_another": changed.context["form"]["is_another"].value()}
    client.post(reverse("my-report"), again)

    made = Completion.objects.get(course=cast.refresher, completed_on=DAY)
    assert [row.file.name for row in CompletionFile.objects.filter(completion=made)] == ["certificate.pdf"]
    assert "required" not in field  # a browser would ask for another file
    assert not ChosenFile.objects.exists()


def listed(response: Any) -> dict[str, list[str]]:
    keys = re.findall(r'name="kept" value="([^"]+)"', response.content.decode())
    return {"listed": keys, "kept": keys}


def test_a_report_without_its_certificate_is_refused(cast: Cast) -> None:
    client = cast.client("officer")
    data = {"officer": cast.amara.pk, "course": cast.refresher.pk, "completed_on": DAY.isoformat(), "provider": ""}
    held = listed(client.post(reverse("my-report"), {**data, "paper": sent()}))

    page = Shown(client.post(reverse("my-report"), {**data, "provider": "State College", "listed": held["listed"]}))

    assert "Certificate: fill this in." in page.words
    assert not Completion.objects.filter(course=cast.refresher).exists()
