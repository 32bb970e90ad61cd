"""Reading. `get_…` raises, `find_…` may return None; every list is ordered and bounded."""
