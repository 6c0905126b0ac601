from django.apps import AppConfig


class OauthtokensConfig(AppConfig):
    name = "oauthtokens"
    verbose_name = "Token sets"
