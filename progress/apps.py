from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "progress"
    verbose_name = "Progress"

    def ready(self) -> None:
        from coursehub import backup, course_members, queue
        from coursehub.privacy import erasure

        erasure.register("progress", erase="progress.erasure.erase", addresses="progress.erasure.addresses")
        # The webhook's signatures of today keep telling a request that comes twice.
        backup.register("progress", present=frozenset({"progress_webhookseen"}), settle="progress.restore.settle")
        course_members.register_answers("progress.standings")
        queue.register_tick("progress.tasks.tick", seconds=1)
        queue.register_tick("progress.tasks.tick_seldom", seconds=60)
