"""The runs: every number that a chapter quotes, computed and recorded with its origin."""
