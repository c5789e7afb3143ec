"""How often one program may ask this interface."""

from __future__ import annotations

from broadsheet.web.rates import Counts, Policy, Standing, client_of, counts

__all__ = ["POLICIES", "Counts", "Policy", "Standing", "client_of", "counts"]

POLICIES = {
    policy.name: policy
    for policy in (
        Policy("read", 600, 60, "Papers, editions, authors, sections, the status and these pages themselves."),
        Policy("search", 120, 60, "What asks the search index: search, related papers and the list of all papers."),
        Policy("person", 240, 60, "What a personal token reads and changes."),
        Policy("export", 12, 3600, "The export of everything."),
    )
}
