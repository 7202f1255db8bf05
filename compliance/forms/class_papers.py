"""Forms of papers: which block's sheet, a scan to keep, why one is taken out, and the code of a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from compliance.class_papers import gather
from compliance.class_papers.keeping import KINDS
from compliance.forms.fields import StyledForm
from compliance.forms.files import FilesForm, KeptFileField
from training.certificates import TOKEN_LENGTH, token_as_typed
from training.models import ClassPaper, Meeting


class SheetForm(forms.Form):
    """Of which block the sheet is wanted, by its number from 1; of none, all of them."""

    block = forms.IntegerField(required=False, min_value=1, max_value=10_000)


class PrefillPaperForm(forms.Form):
    """What the link that led here already knows."""

    kind = forms.ChoiceField(choices=ClassPaper.Kind.choices, required=False)
    block = forms.IntegerField(required=False, min_value=1, max_value=10_000)


class PaperForm(FilesForm):
    """A scan to keep with the class."""

    kind = forms.ChoiceField(
        label="What it is",
        choices=[("", "Choose what it is"), *ClassPaper.Kind.choices],
        error_messages={"required": "Choose what it is."},
    )
    block = forms.TypedChoiceField(
        label="Block", required=False, coerce=int, empty_value=None, help_text="Of a signed sign-in sheet."
    )
    file = KeptFileField(label="File", kinds=KINDS, error_messages={"required": "Choose a file."})
    note = forms.CharField(label="Note", required=False, max_length=300)

    def __init__(self, *args: Any, blocks: Sequence[Meeting], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._blocks = blocks
        choices = [
            (number, f"{gather.block_name(number, block)} · {gather.span(block.starts_at, block.ends_at)}")
            for number, block in enumerate(blocks, start=1)
        ]
        self.fields["block"].choices = [("", "The whole class"), *choices]  # type: ignore[attr-defined] # a ChoiceField

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("kind") == ClassPaper.Kind.SIGN_IN and values.get("block") is None and "block" not in self.errors:
            self.add_error("block", "Choose the block whose sheet this is.")
        elif values.get("block") is not None and values.get("kind") not in (None, ClassPaper.Kind.SIGN_IN):
            values["block"] = None
        return values

    @property
    def meeting(self) -> Meeting | None:
        number = self.cleaned_data["block"]
        return self._blocks[number - 1] if number is not None else None


class WithdrawForm(StyledForm):
    why = forms.CharField(
        label="Why it is taken out",
        max_length=300,
        error_messages={"required": "Say why: the reason stays in the class file."},
    )


class CheckForm(StyledForm):
    """The code printed on a certificate."""

    code = forms.CharField(
        label="Code on the certificate",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
        help_text="26 letters and figures. Capitals, spaces and hyphens do not matter.",
        error_messages={"required": "Type the code that is printed at the foot of the certificate."},
    )

    def clean_code(self) -> str:
        token = token_as_typed(self.cleaned_data["code"])
        if len(token) != TOKEN_LENGTH or not token.isalnum() or not token.isascii():
            raise ValidationError(f"The code has {TOKEN_LENGTH} letters and figures. Compare it with the certificate.")
        return token
