"""The tables of community. Private: other apps ask `queries` and change through `actions`."""

from broadsheet.community.models import authorship, comments, moderation, notices, picks, submissions, votes

__all__ = ["authorship", "comments", "moderation", "notices", "picks", "submissions", "votes"]
