"""From what was read on the photos to proposals: rules without a model, a database or a clock."""
