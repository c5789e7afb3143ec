"""All addresses: those of the pages, of signing in, and of the operator. Paths stand in broadsheet.links."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import module_has_submodule

from broadsheet import links


def _our_tables() -> None:
    """Let operators see our tables. Those of other packages hold secrets, of authenticators for example."""
    for app in apps.get_app_configs():
        if app.name.startswith("broadsheet.") and module_has_submodule(app.module, "admin"):
            import_module(f"{app.name}.admin")


_our_tables()

urlpatterns = [
    path("", include("broadsheet.web.urls")),
    path("", include("broadsheet.web.pages.account_routes")),
    path(links.ADMIN.removeprefix("/"), admin.site.urls),
]

handler429 = "broadsheet.web.pages.refusals.too_often"
