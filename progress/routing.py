from django.urls import path

from progress.consumers import CourseConsumer

websocket_urlpatterns = [path("ws/progress/<str:course_id>/", CourseConsumer.as_asgi())]
