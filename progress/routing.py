from django.urls import path

from progress.consumers import CourseConsumer, CoursesConsumer

websocket_urlpatterns = [
    path("ws/progress/", CoursesConsumer.as_asgi()),
    path("ws/progress/<str:course_id>/", CourseConsumer.as_asgi()),
]
