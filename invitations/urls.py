from django.urls import path

from invitations.views import batches, readings, repair, results, rows, uploads

app_name = "invitations"
urlpatterns = [
    path("", batches.batches, name="list"),
    path("upload/", uploads.upload, name="upload"),
    path("template.csv", uploads.template, name="template"),
    path("<uuid:batch_id>/", batches.batch, name="batch"),
    path("<uuid:batch_id>/status.json", batches.status, name="status"),
    path("<uuid:batch_id>/rows.json", rows.rows, name="rows"),
    path("<uuid:batch_id>/columns/", readings.columns, name="columns"),
    path("<uuid:batch_id>/columns/forget/", readings.forget_columns, name="forget_columns"),
    path("<uuid:batch_id>/status/", readings.leave_out_by_status, name="leave_out_by_status"),
    path("<uuid:batch_id>/addresses/", readings.one_row_per_address, name="one_row_per_address"),
    path("<uuid:batch_id>/sheet/", readings.sheet, name="sheet"),
    path("<uuid:batch_id>/names/", uploads.names, name="names"),
    path("<uuid:batch_id>/confirm/", batches.confirm, name="confirm"),
    path("<uuid:batch_id>/discard/", batches.discard, name="discard"),
    path("<uuid:batch_id>/results.csv", results.as_uploaded, name="results"),
    path("<uuid:batch_id>/results-safe.csv", results.for_spreadsheets, name="results_safe"),
    path("<uuid:batch_id>/bad-rows.csv", results.bad_rows, name="bad_rows"),
    path("<uuid:batch_id>/results.xlsx", results.as_workbook, name="results_workbook"),
    path("<uuid:batch_id>/learners/", results.learners, name="learners"),
    path("<uuid:batch_id>/unknown/", rows.unknown, name="unknown"),
    path("<uuid:batch_id>/rows/<int:line>/", rows.row, name="row"),
    path("<uuid:batch_id>/rows/<int:line>/repair/", repair.row, name="repair"),
    path("<uuid:batch_id>/domains/", repair.domain, name="domains"),
    path("<uuid:batch_id>/<str:action>/", batches.act, name="action"),
]
