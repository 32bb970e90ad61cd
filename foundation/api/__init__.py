"""What every app's API stands on: problem+json, strict input, ETags, cursors, idempotency, limits."""
