"""Monthly statements as documents: rows for spreadsheets, pages for people."""
