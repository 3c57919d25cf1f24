"""Addresses of the pages, a list for each subject."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from web.views import login, owners, pets, search, today

PEOPLE = [
    path("login/", login.ClinicLoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
CLIENTS = [
    path("search/", search.search, name="search"),
    path("owners/", owners.owners, name="owners"),
    path("owners/new/", owners.owner_new, name="owner_new"),
    path("owners/<int:pk>/", owners.owner, name="owner"),
    path("owners/<int:pk>/edit/", owners.owner_edit, name="owner_edit"),
    path("owners/<int:owner_pk>/pets/new/", pets.pet_new, name="pet_new"),
    path("pets/<int:pk>/", pets.pet, name="pet"),
    path("pets/<int:pk>/edit/", pets.pet_edit, name="pet_edit"),
    path("pets/<int:pk>/deceased/", pets.pet_deceased, name="pet_deceased"),
    path("pets/<int:pk>/transfer/", pets.pet_transfer, name="pet_transfer"),
]
urlpatterns = [path("", today.today, name="today"), *PEOPLE, *CLIENTS]
