"""People: who they are, what they may do, the groups they belong to. Knows nothing of papers."""
