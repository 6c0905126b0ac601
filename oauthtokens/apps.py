from django.apps import AppConfig


class OauthtokensConfig(AppConfig):
    name = "oauthtokens"
    verbose_name = "Token sets"

    def ready(self) -> None:
        from coursehub import queue

        queue.register_tick("oauthtokens.tasks.tick", seconds=15)
