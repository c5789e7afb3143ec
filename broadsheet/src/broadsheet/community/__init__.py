"""What people do about papers: votes, comments, submissions, picks, authorship, flags and the log of moderation."""
