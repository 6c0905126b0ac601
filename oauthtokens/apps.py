from django.apps import AppConfig


class OauthtokensConfig(AppConfig):
    name = "oauthtokens"
    verbose_name = "Token sets"

    def ready(self) -> None:
        from coursehub import backup, queue

        # Consents end with the minutes of their pace; alerts are raised and mailed by how things stand.
        present = frozenset({"oauthtokens_consents", "oauthtokens_alerts"})
        backup.register("oauthtokens", present=present, settle="oauthtokens.restore.settle")
        queue.register_tick("oauthtokens.tasks.tick", seconds=15)
