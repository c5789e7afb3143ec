"""What a page says to programs about its paper.

`highwire` for reference managers and Google Scholar, `schema` for search engines, `signposting` for robots that look
for identifiers and files, `coins` for lists, `social` for the boxes in which other sites show a link.
"""
