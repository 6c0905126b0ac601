from django.urls import path

from progress import learner_views, views, webhook

app_name = "progress"
urlpatterns = [
    path("", views.courses, name="list"),
    path("webhook/", webhook.webhook, name="webhook"),
    path("<str:course_id>/", views.course, name="course"),
    path("<str:course_id>/status.json", views.status, name="status"),
    path("<str:course_id>/risks.json", views.risks, name="risks"),
    path("<str:course_id>/revoked.json", views.revoked, name="revoked"),
    path("<str:course_id>/export.csv", views.export, name="export"),
    path("<str:course_id>/thresholds/", views.thresholds, name="thresholds"),
    path("<str:course_id>/learners/<str:member_id>/", learner_views.learner, name="learner"),
    path("<str:course_id>/learners/<str:member_id>/reports/", learner_views.learner_reports, name="learner_reports"),
    path(
        "<str:course_id>/learners/<str:member_id>/reports/<str:kind>/", learner_views.fetch_report, name="fetch_report"
    ),
]
