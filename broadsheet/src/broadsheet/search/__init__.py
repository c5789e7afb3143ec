"""The engine that finds papers. What it holds is derived from the database and can be rebuilt from it at any time."""
