"""django-q2's own admin pages, which let whoever may edit them run any dotted path."""

from django.contrib.admin import AdminSite


def hide_queue_models(site: AdminSite) -> None:
    """Take every model of django-q2 out of `site`, whether or not its admin module was loaded before."""
    # Registers on import; loaded here, so that autodiscovery cannot register them afterwards.
    import django_q.admin  # noqa: F401
    from django.apps import apps

    for model in apps.get_app_config("django_q").get_models():
        if site.is_registered(model):
            site.unregister(model)
