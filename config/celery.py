"""The worker's and the scheduler's entrance: `celery -A config.celery worker`, and beat."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("records")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    # One that no worker took for a minute is worth nothing: the next is there.
    "pick-up-jobs": {"task": "compliance.tasks.pick_up_jobs", "schedule": 60.0, "options": {"expires": 60}},
    # Every hour from the one meant on: a night when the server was down, or a clock that skips 02:15, is made up for.
    "nightly": {"task": "compliance.tasks.start_nightly", "schedule": crontab(minute=15, hour="2-23")},
    "sweep-files": {"task": "compliance.tasks.sweep_files", "schedule": crontab(minute=40, hour=3)},
}
