"""The message to a tax authority: records, forms, writing, checking, answers. It knows no database."""
