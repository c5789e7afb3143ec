"""Every public path, once. Formats only: whoever prints or routes an address takes it from here."""

FRONT = "/"
DAY = "/date/{day}"
WEEK = "/week/{week}"
MONTH = "/month/{month}"
FIRST_EDITION = "/editions/first"
EDITIONS = "/editions"
SECTIONS = "/sections"
SECTION = "/section/{slug}"
PAPER = "/papers/{key}"
AUTHOR = "/author/{slug}"
SEARCH = "/search"
STATUS = "/status"
ABOUT = "/about"
RANKING = "/about/ranking"
SHORTCUTS = "/about/keys"

# Change one word of an arXiv address and arrive at our page of the paper.
ARXIV_ABS = "/abs/{arxiv_id}"
ARXIV_PDF = "/pdf/{arxiv_id}"

STATIC = "/static/"
HEALTH = "/healthz"
