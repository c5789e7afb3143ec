"""The engines: each fulfils `broadsheet.search.index.Index`."""
