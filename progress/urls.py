from django.urls import path

from progress import webhook
from progress.views import courses, learners

app_name = "progress"
urlpatterns = [
    path("", courses.courses, name="list"),
    path("webhook/", webhook.webhook, name="webhook"),
    path("<str:course_id>/", courses.course, name="course"),
    path("<str:course_id>/status.json", courses.status, name="status"),
    path("<str:course_id>/risks.json", courses.risks, name="risks"),
    path("<str:course_id>/revoked.json", courses.revoked, name="revoked"),
    path("<str:course_id>/export.csv", courses.export, name="export"),
    path("<str:course_id>/thresholds/", courses.thresholds, name="thresholds"),
    path("<str:course_id>/learners/<str:member_id>/", learners.learner, name="learner"),
    path("<str:course_id>/learners/<str:member_id>/reports/", learners.learner_reports, name="learner_reports"),
    path("<str:course_id>/learners/<str:member_id>/reports/<str:kind>/", learners.fetch_report, name="fetch_report"),
]
