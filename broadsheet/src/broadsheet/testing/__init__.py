"""Public test tools: conformance suites for sources and indexes, and the cast that tests and examples share."""
