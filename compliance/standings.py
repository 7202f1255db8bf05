def rebuild(officer_ids):
    pass
