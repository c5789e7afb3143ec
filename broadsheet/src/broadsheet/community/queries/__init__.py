"""Every question about what people do with papers. Import the module that you need: votes, comments, moderation."""

from broadsheet.community.queries.standings import Standing, standings
from broadsheet.community.queries.votes import Ballot, ballots_since, changed_between, votes_between

__all__ = ["Ballot", "Standing", "ballots_since", "changed_between", "standings", "votes_between"]
