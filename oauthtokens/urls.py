from django.urls import path

from oauthtokens import views

app_name = "oauth"
urlpatterns = [
    path("callback/", views.callback, name="callback"),
    path("forecast.json", views.forecast, name="forecast"),
]
