"""When papers came in and how far we got: imports, their reports, and what had to be rejected."""
