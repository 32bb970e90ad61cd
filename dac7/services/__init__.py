"""The verbs of dac7."""
