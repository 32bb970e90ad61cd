"""Who is reportable to a tax authority, what is known of them, and the report itself. See docs/dac7.md."""
