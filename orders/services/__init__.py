"""Verbs. Keyword-only, typed, ids and `now` in, frozen dataclasses out; one transaction each."""
