"""Every write of ingest: bringing papers in from files and from origins, and the ledger of what was announced."""

from broadsheet.ingest.actions.importing import BATCH, Progress, Report, import_file

__all__ = ["BATCH", "Progress", "Report", "import_file"]
