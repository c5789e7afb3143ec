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
SUGGESTIONS = "/search/suggestions"
WHY = "/search/why"
STATUS = "/status"
ABOUT = "/about"
RANKING = "/about/ranking"
SHORTCUTS = "/about/keys"
SAVED = "/saved"

# Change one word of an arXiv address and arrive at our page of the paper.
ARXIV_ABS = "/abs/{arxiv_id}"
ARXIV_PDF = "/pdf/{arxiv_id}"

# A list or a paper in another form: its path, a full stop, and the form. The front page is called "index" there.
IN_FORM = "{path}.{form}"
FRONT_IN_FORM = "/index.{form}"
RELATED = "/papers/{key}/related"
SUBSCRIPTIONS = "/feeds.opml"
LLMS = "/llms.txt"

# What the official client of Hugging Face asks; the names are the original's.
HF_DAILY = "/api/daily_papers"
HF_SEARCH = "/api/papers/search"
HF_SUBMIT = "/api/papers/submit"
HF_PAPER = "/api/papers/{key}"
HF_READ = "/papers/{key}.md"
HF_REPOSITORIES = "/api/arxiv/{arxiv_id}/repos"

STATIC = "/static/"
HEALTH = "/healthz"
