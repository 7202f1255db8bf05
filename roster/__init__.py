"""Who and where: agencies, units, officers, their employment, assignments and leave, and how facts are written."""
