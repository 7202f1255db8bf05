"""The report whose place another takes, and which edition of the answer it is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("compliance", "0007_who_approved"),
    ]

    operations = [
        migrations.AddField(
            model_name="issuedreport",
            name="report_edition",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="issuedreport",
            name="supersedes",
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="superseded_by", to="compliance.issuedreport"),
        ),
    ]
