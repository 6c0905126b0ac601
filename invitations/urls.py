from django.urls import path

from invitations import row_views, views

app_name = "invitations"
urlpatterns = [
    path("", views.batches, name="list"),
    path("upload/", views.upload, name="upload"),
    path("template.csv", views.template, name="template"),
    path("<uuid:batch_id>/", views.batch, name="batch"),
    path("<uuid:batch_id>/status.json", views.status, name="status"),
    path("<uuid:batch_id>/rows.json", views.rows, name="rows"),
    path("<uuid:batch_id>/columns/", views.columns, name="columns"),
    path("<uuid:batch_id>/names/", views.names, name="names"),
    path("<uuid:batch_id>/confirm/", views.confirm, name="confirm"),
    path("<uuid:batch_id>/results.csv", row_views.results_csv, name="results"),
    path("<uuid:batch_id>/results-safe.csv", row_views.results_safe_csv, name="results_safe"),
    path("<uuid:batch_id>/learners/", row_views.learners, name="learners"),
    path("<uuid:batch_id>/unknown/", row_views.unknown, name="unknown"),
    path("<uuid:batch_id>/rows/<int:line>/", row_views.row, name="row"),
    path("<uuid:batch_id>/<str:action>/", views.act, name="action"),
]
