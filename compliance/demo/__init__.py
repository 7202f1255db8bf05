"""A made-up police department, for a first look at the product and for measuring it.

    department = make_department(officers=420, seed=1, today=date(2026, 11, 20))     # values only, no database
    record_department(department)                                                    # in one transaction

The same size, seed and day give the same department. `department.py` says what is in it and why its districts differ.
"""

from compliance.demo.department import make_department
from compliance.demo.record import record_department
from compliance.demo.rows import Department

__all__ = ["Department", "make_department", "record_department"]
