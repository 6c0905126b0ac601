from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "progress"
    verbose_name = "Progress"

    def ready(self) -> None:
        from coursehub import queue

        queue.register_tick("progress.tasks.tick", seconds=1)
