"""The views, one file per kind of page. Each is thin: ask the domain's queries, load cards, fill a template."""
