"""Reading, as frozen dataclasses; `get_…` raises, `find_…` may return None."""
