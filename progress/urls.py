from django.urls import path

from progress import views

app_name = "progress"
urlpatterns = [
    path("", views.courses, name="list"),
    path("<str:course_id>/", views.course, name="course"),
    path("<str:course_id>/status.json", views.status, name="status"),
    path("<str:course_id>/export.csv", views.export, name="export"),
]
