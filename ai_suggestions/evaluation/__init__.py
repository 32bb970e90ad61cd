"""How good a provider's suggestions are on photos that people labelled. Commands only."""
