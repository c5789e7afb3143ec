"""All addresses: those of the pages. What stands at each path is written in broadsheet.links."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("broadsheet.web.urls"))]
