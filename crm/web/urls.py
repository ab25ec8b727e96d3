"""The table of contents of the site: one line per screen or act."""

from __future__ import annotations

from django.urls import path

from crm.web import (
    accounts,
    board,
    circle,
    deal,
    deals,
    follow_ups,
    health,
    numbers,
    offline,
    preferences,
    referrals,
    status,
    today,
)

app_name = "crm"

urlpatterns = [
    path("", today.today, name="today"),
    path("follow-ups/new/", follow_ups.new, name="follow-up-new"),
    path("follow-ups/<int:pk>/done/", follow_ups.done, name="follow-up-done"),
    path("follow-ups/<int:pk>/later/", follow_ups.later, name="follow-up-later"),
    path("follow-ups/<int:pk>/not-needed/", follow_ups.not_needed, name="follow-up-not-needed"),
    path("follow-ups/<int:pk>/reopen/", follow_ups.reopen, name="follow-up-reopen"),
    path("health/", health.health, name="health"),
    path("health/read/", health.read, name="health-read"),
    path("dashboard/numbers/<slug:key>/", numbers.behind, name="number"),
    path("dashboard/forecast/<slug:side>/<int:year>/<int:month>/", numbers.forecast_month, name="forecast-month"),
    path("home/", accounts.home, name="home"),
    path("me/", preferences.preferences, name="preferences"),
    path("language/", preferences.language, name="language"),
    path("offline/", offline.offline, name="offline"),
    path("service-worker.js", offline.service_worker, name="service-worker"),
    path("healthz", status.healthz, name="healthz"),
    path("readyz", status.readyz, name="readyz"),
    path("deals/", board.board, name="board"),
    path("deals/list/", deals.index, name="deals"),
    path("deals/new/", deals.new, name="deal-new"),
    path("deals/<int:pk>/", deal.deal, name="deal"),
    path("deals/<int:pk>/step/", deal.step, name="deal-step"),
    path("deals/<int:pk>/change/", deal.change, name="deal-change"),
    path("deals/<int:pk>/move/", deal.move, name="deal-move"),
    path("deals/<int:pk>/win/", deal.win, name="deal-win"),
    path("deals/<int:pk>/lose/", deal.lose, name="deal-lose"),
    path("circle/", circle.circle, name="circle"),
    path("circle/referrals/new/", referrals.ask, name="referral-ask"),
    path("circle/referrals/<int:pk>/", referrals.referral, name="referral"),
    path("circle/referrals/<int:pk>/promise/", referrals.promise, name="referral-promise"),
    path("circle/referrals/<int:pk>/introduce/", referrals.introduce, name="referral-introduce"),
    path("circle/referrals/<int:pk>/<slug:act>/", referrals.act, name="referral-act"),
    path("people/<int:pk>/advocate/", referrals.name_advocate, name="advocate-name"),
]
