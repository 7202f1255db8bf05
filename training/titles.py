"""How course titles are compared: never by guess, only past what typing and printing change."""

QUOTES = str.maketrans({"‘": "'", "’": "'", "‛": "'", "`": "'", "“": '"', "”": '"', "„": '"'})


def title_key(title: str) -> str:
    """The form in which titles are equal: case, runs of spaces and curly quotes do not matter; dashes do."""
    return " ".join(title.translate(QUOTES).casefold().split())
