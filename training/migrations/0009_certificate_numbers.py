"""Whose number a certificate has, and the day it certifies (none had been issued before); why a paper was withdrawn."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roster', '0004_files_merges_minimums'),
        ('training', '0008_shared_files_providers_kept_both'),
    ]

    operations = [
        migrations.AlterField(
            model_name='certificate',
            name='number',
            field=models.CharField(max_length=60, unique=True),
        ),
        migrations.AddField(
            model_name='certificate',
            name='agency',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='roster.agency'),
        ),
        migrations.AddField(
            model_name='certificate',
            name='year',
            field=models.PositiveSmallIntegerField(),
        ),
        migrations.AddField(
            model_name='certificate',
            name='serial',
            field=models.PositiveIntegerField(),
        ),
        migrations.AddField(
            model_name='certificate',
            name='completed_on',
            field=models.DateField(),
        ),
        migrations.AlterField(
            model_name='certificate',
            name='enrollment',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='training.enrollment'),
        ),
        migrations.AddConstraint(
            model_name='certificate',
            constraint=models.UniqueConstraint(fields=('agency', 'year', 'serial'), name='training_certificate_in_order'),
        ),
        migrations.AddField(
            model_name='classpaper',
            name='withdrawn_why',
            field=models.CharField(blank=True, editable=False, max_length=300),
        ),
    ]
