"""Whose report it is, what it found, and the job that made it. No report was issued before: nothing to fill in."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0002_known_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="issuedreport",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="roster.agency"
            ),
        ),
        migrations.AddField(
            model_name="issuedreport",
            name="job",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="report",
                to="compliance.job",
            ),
        ),
        migrations.AddField(
            model_name="issuedreport",
            name="totals",
            field=models.JSONField(),
        ),
    ]
