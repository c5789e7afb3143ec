"""Every write of ingest: bringing papers in from files and from origins, and the ledger of what was announced."""

from broadsheet.ingest.actions.auditing import audit_day, audit_days
from broadsheet.ingest.actions.following import Followed, followed, harvesters_of, sections
from broadsheet.ingest.actions.harvesting import HarvestProgress, HarvestReport, find, harvest
from broadsheet.ingest.actions.importing import BATCH, Progress, Report, import_file
from broadsheet.ingest.actions.looking_up import look_up
from broadsheet.ingest.actions.scheduling import back_fill, first_day, step, watch

__all__ = [
    "BATCH",
    "Followed",
    "HarvestProgress",
    "HarvestReport",
    "Progress",
    "Report",
    "audit_day",
    "audit_days",
    "back_fill",
    "find",
    "first_day",
    "followed",
    "harvest",
    "harvesters_of",
    "import_file",
    "look_up",
    "sections",
    "step",
    "watch",
]
