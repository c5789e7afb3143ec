"""How this instance is set up: one table of settings, and what Django makes of it."""
