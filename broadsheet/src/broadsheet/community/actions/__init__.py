"""Every change of what people do about papers. Import the module that you need: votes, comments, moderation."""
