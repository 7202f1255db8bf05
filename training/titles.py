"""How course titles and versions of lesson plans are compared: never by guess, only past what typing changes."""

import re

QUOTES = str.maketrans({"‘": "'", "’": "'", "‛": "'", "`": "'", "“": '"', "”": '"', "„": '"'})


def title_key(title: str) -> str:
    """The form in which titles are equal: case, runs of spaces and curly quotes do not matter; dashes do."""
    return " ".join(title.translate(QUOTES).casefold().split())


def plan_key(version: str) -> str:
    """The form in which versions of a lesson plan are equal: case and spaces do not matter, nor the `.0` of a sheet."""
    return re.sub(r"^(\d+)\.0+$", r"\1", title_key(version))
