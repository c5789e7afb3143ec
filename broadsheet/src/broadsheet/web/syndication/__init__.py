"""Lists of papers as feeds (Atom, RSS, JSON Feed) and as citations (BibTeX, RIS, CSL-JSON).

`lists` finds the papers of a list, `feeds` says what a feed of them holds, `atom`, `rss` and `json_feed` write it.
`citations` writes the same lists for programs that manage references, `views` answers who asks.
"""
