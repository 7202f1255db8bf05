"""What follows: requirements, standings, coverage, goals, reports, and the pages over all of it."""
