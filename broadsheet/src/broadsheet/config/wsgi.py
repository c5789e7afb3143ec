"""The WSGI application that the web processes serve: Django, behind what is kept of its answers for a moment."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from broadsheet.config.keeping import KeptAnswers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.config.settings")

application = KeptAnswers(get_wsgi_application())
