"""Files chosen for a form that asks before it records: held between its questions, and given up when unticked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compliance.forms.files import MOST_FILES, KeptFileField
from roster import files
from roster.files import NOT_HELD, FileRefused, KeptFile

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from compliance.forms.files import HoldingForm


def hold(form: HoldingForm, name: str, *, by: User) -> None:
    """Hold what was just chosen in this field beside what is ticked, and give up what was unticked.

    Of a form that was cleaned, whatever else is wrong with it. What cannot be held is an error of the field and takes
    nothing of the rest with it; a file whose bytes are held already is not held twice. A field of one file holds the
    last.
    """
    field = form.fields[name]
    assert isinstance(field, KeptFileField)  # noqa: S101 - the form's own
    files.drop(form.unticked, by=by)
    held: list[KeptFile] = list(files.chosen(form.ticked, by=by))
    if len(held) < len(form.ticked):
        form.add_error(name, NOT_HELD)
    sent = form.cleaned_data.pop(name, None) or []
    uploads: list[Any] = sent if field.many else [sent] if sent else []
    if field.many and len(held) + len(uploads) > MOST_FILES:
        form.add_error(
            name, f"With these there are {len(held) + len(uploads)} files; {MOST_FILES} can be added at a time."
        )
        uploads = []
    for upload in uploads:
        try:
            one = files.choose(upload, by=by, kinds=field.kinds)
        except FileRefused as refused:
            form.add_error(name, refused)
            continue
        if any(other.sha256 == one.sha256 for other in held):
            files.drop([one.key], by=by)
        elif field.many:
            held.append(one)
        else:
            files.drop([other.key for other in held], by=by)
            held = [one]
    form.held = held
    field.required = field.required and not held  # what is held need not be chosen again
