"""The URL map. Who may open what stands in `coursehub.roles`."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from coursehub.accounts import invitation
from coursehub.console import views
from coursehub.privacy.views import erase_learner

urlpatterns = [
    path("", views.home, name="home"),
    path("accounts/login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/invitation/<key>/", invitation.InvitationView.as_view(), name="account_invitation"),
    path("accounts/password/", auth_views.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password/done/", auth_views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("admin/erase-learner/", erase_learner, name="erase_learner"),
    path("admin/", admin.site.urls),
    path("invitations/", include("invitations.urls")),
    path("progress/", include("progress.urls")),
    path("oauth/", include("oauthtokens.urls")),
    path("source/", views.source, name="source"),
    path("healthz", views.healthz, name="healthz"),
]
