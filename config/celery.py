"""The worker's and the scheduler's entrance: `celery -A config.celery worker`, and beat."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("records")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "pick-up-jobs": {"task": "compliance.tasks.pick_up_jobs", "schedule": 60.0},
    "nightly": {"task": "compliance.tasks.start_nightly", "schedule": crontab(hour=2, minute=15)},
}
