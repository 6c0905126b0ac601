from django.apps import AppConfig


class CoursehubConfig(AppConfig):
    name = "coursehub"
    verbose_name = "CourseHub"

    def ready(self) -> None:
        from coursehub import checks, queue  # noqa: F401  (checks registers itself)
        from coursehub.accounts import signals  # noqa: F401  (registers receivers)

        queue.register_tick("coursehub.academy.tasks.tick", seconds=15)
