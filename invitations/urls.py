from django.urls import path

from invitations import views

app_name = "invitations"
urlpatterns = [
    path("", views.batches, name="list"),
    path("upload/", views.upload, name="upload"),
    path("template.csv", views.template, name="template"),
    path("<uuid:batch_id>/", views.batch, name="batch"),
    path("<uuid:batch_id>/status.json", views.status, name="status"),
    path("<uuid:batch_id>/rows.json", views.rows, name="rows"),
    path("<uuid:batch_id>/columns/", views.columns, name="columns"),
    path("<uuid:batch_id>/confirm/", views.confirm, name="confirm"),
    path("<uuid:batch_id>/<str:action>/", views.act, name="action"),
]
