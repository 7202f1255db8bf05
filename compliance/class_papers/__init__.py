"""The papers of a class: sign-in sheets, roster, certificates and the class file, and what is missing from it.

Each paper is made of rows that `gather.py` reads, by a function that returns plain data, and set by the template of the
same name. The same data gives the same bytes: a paper carries no moment of its own making, but that of the last entry.
"""
