"""From lines of the ledger to what is reported of a seller. Pure: no database, no clock."""
