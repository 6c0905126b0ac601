from django.urls import path

from oauthtokens.views import public

app_name = "oauth"
urlpatterns = [
    path("callback/", public.callback, name="callback"),
    path("forecast.json", public.forecast, name="forecast"),
]
