from django.urls import path

from invitations.views import batches, rows

app_name = "invitations"
urlpatterns = [
    path("", batches.batches, name="list"),
    path("upload/", batches.upload, name="upload"),
    path("template.csv", batches.template, name="template"),
    path("<uuid:batch_id>/", batches.batch, name="batch"),
    path("<uuid:batch_id>/status.json", batches.status, name="status"),
    path("<uuid:batch_id>/rows.json", batches.rows, name="rows"),
    path("<uuid:batch_id>/columns/", batches.columns, name="columns"),
    path("<uuid:batch_id>/names/", batches.names, name="names"),
    path("<uuid:batch_id>/confirm/", batches.confirm, name="confirm"),
    path("<uuid:batch_id>/results.csv", rows.results_csv, name="results"),
    path("<uuid:batch_id>/results-safe.csv", rows.results_safe_csv, name="results_safe"),
    path("<uuid:batch_id>/learners/", rows.learners, name="learners"),
    path("<uuid:batch_id>/unknown/", rows.unknown, name="unknown"),
    path("<uuid:batch_id>/rows/<int:line>/", rows.row, name="row"),
    path("<uuid:batch_id>/<str:action>/", batches.act, name="action"),
]
