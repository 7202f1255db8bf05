"""Every form with which something is recorded, a module for each group of pages."""
