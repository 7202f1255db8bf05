"""What an agency decides about how its records are kept, and who changed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from roster import trail
from roster.facts import Via
from roster.models import Agency

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from roster.access import Viewer


def agencies_of(viewer: Viewer) -> QuerySet[Agency]:
    """The agencies whose settings an administrator changes, in order."""
    found = Agency.objects.order_by("name", "code")
    return found if viewer.agencies is None else found.filter(pk__in=viewer.agencies)


def change(agency: Agency, values: Mapping[str, Any], *, by: User) -> bool:
    """Change settings and note it in the trail; whether anything was different. `values` by field of the agency."""
    with transaction.atomic(), trail.acting(by, Via.PAGE):
        held = Agency.objects.select_for_update().get(pk=agency.pk)
        before = _told(held, values)
        for name, value in values.items():
            setattr(held, name, value)
        after = _told(held, values)
        if before == after:
            return False
        held.save(update_fields=list(values))
        trail.note(trail.What.SETTING, trail.Act.CHANGED, str(held), before=before, after=after, agency_id=held.pk)
    return True


def _told(agency: Agency, names: Mapping[str, Any]) -> dict[str, str]:
    """The settings as people know them; what is off is said so."""
    return {
        str(Agency._meta.get_field(name).verbose_name): trail.told(getattr(agency, name)) or "no"  # type: ignore[union-attr] # a field of its own
        for name in names
    }
