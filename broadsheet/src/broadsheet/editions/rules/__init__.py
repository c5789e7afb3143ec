"""Pure rules of editions: `lists` says what stands where, `ranking` why, `audits` how complete it is."""

from broadsheet.editions.rules.lists import (
    DAY_OF_NEWS,
    RECENT_DAYS,
    Basis,
    Facts,
    Kind,
    Period,
    Ranked,
    closes_at,
    day,
    month,
    parse_label,
    periods,
    rank,
    week,
)
from broadsheet.ingest.rules.days import ANNOUNCEMENT_ZONE

__all__ = [
    "ANNOUNCEMENT_ZONE",
    "DAY_OF_NEWS",
    "RECENT_DAYS",
    "Basis",
    "Facts",
    "Kind",
    "Period",
    "Ranked",
    "closes_at",
    "day",
    "month",
    "parse_label",
    "periods",
    "rank",
    "week",
]
