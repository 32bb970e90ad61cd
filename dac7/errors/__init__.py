"""What may go wrong here, as facts with a stable code; one module for each area."""
