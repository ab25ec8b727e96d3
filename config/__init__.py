"""Wiring: settings, addresses, the worker's application and the web server's. Nothing of ours imports this package."""

from __future__ import annotations

from config.celery import app as celery_app

__all__ = ["celery_app"]
