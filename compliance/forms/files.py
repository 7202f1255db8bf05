"""Fields for files that are kept: what may be chosen, and how much of it. The content is judged by `files.keep`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest

from compliance.forms.fields import StyledForm
from roster.file_types import ENDINGS, Kind
from roster.files import KeptFile, in_words, limit_in_words

#: Files of one record at a time.
MOST_FILES = 20


class KeptFileField(forms.FileField):
    """One file of these kinds; with `many` a list of them."""

    def __init__(self, *, kinds: Collection[Kind], many: bool = False, help_text: str = "", **kwargs: Any) -> None:
        said = f"{in_words(kinds)}, up to {limit_in_words()}{' each' if many else ''}."
        widget = _ManyFilesInput() if many else forms.FileInput()
        widget.attrs["accept"] = ",".join(ending for kind in Kind if kind in kinds for ending in ENDINGS[kind])
        super().__init__(widget=widget, help_text=f"{said} {help_text}".strip(), allow_empty_file=True, **kwargs)
        self.kinds, self.many = kinds, many

    def clean(self, data: Any, initial: Any = None) -> Any:
        if not self.many:
            return super().clean(data, initial)
        sent = data if isinstance(data, list | tuple) else [data] if data else []
        if len(sent) > MOST_FILES:
            raise forms.ValidationError(f"These are {len(sent)} files; {MOST_FILES} can be added at a time.")
        one = super().clean
        return [one(file, initial) for file in sent] if sent else self._none(initial)

    def _none(self, initial: Any) -> list[Any]:
        super().clean(None, initial)
        return []


def is_too_large(request: HttpRequest) -> bool:
    """Whether a file of this request was larger than the server receives."""
    return getattr(request, "is_upload_too_large", False)


class _ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesForm(StyledForm):
    """A form with files. What was larger than the server receives never came, and is said so here."""

    def __init__(self, *args: Any, is_too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_too_large = is_too_large

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name, field in self.fields.items():
            if self.is_too_large and isinstance(field, KeptFileField):
                self.errors.pop(name, None)
                self.add_error(name, f"The file is larger than {limit_in_words()} and was not received.")
        return values


class HoldingForm(FilesForm):
    """A form that asks before it records. What was chosen stays on its page until it records, or is unticked."""

    #: what is held for it now; set by `chosen_files.hold`
    held: Sequence[KeptFile] = ()

    @property
    def ticked(self) -> list[UUID]:
        """Keys of the files that are to stay."""
        return self._keys("kept")

    @property
    def unticked(self) -> list[UUID]:
        """Keys of files that the page listed and that are not wanted any more."""
        ticked = set(self.ticked)
        return [key for key in self._keys("listed") if key not in ticked]

    def _keys(self, name: str) -> list[UUID]:
        sent = self.data.getlist(name) if hasattr(self.data, "getlist") else []
        keys = (_key(text) for text in sent[: 2 * MOST_FILES])
        return list(dict.fromkeys(key for key in keys if key is not None))


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
