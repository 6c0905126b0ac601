from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "progress"
    verbose_name = "Progress"

    def ready(self) -> None:
        from coursehub import erasing, queue

        erasing.register("progress", erase="progress.erasing.erase", addresses="progress.erasing.addresses")
        queue.register_tick("progress.tasks.tick", seconds=1)
        queue.register_tick("progress.tasks.tick_seldom", seconds=60)
