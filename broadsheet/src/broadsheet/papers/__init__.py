"""The stored paper: our belief, what sources said, its identifiers, what was merged, and the journal of changes."""
