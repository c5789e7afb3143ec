"""A reader's own papers: shelves, notes, reading states, ratings; and the shelves of groups."""
