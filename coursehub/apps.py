from django.apps import AppConfig


class CoursehubConfig(AppConfig):
    name = "coursehub"
    verbose_name = "CourseHub"

    def ready(self) -> None:
        from coursehub import checks  # noqa: F401  (registers the system checks)
