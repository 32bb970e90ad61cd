from django.db import migrations

from balance.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("balance", "0001_ledger")]

    operations = [
        # Not in a transaction: MySQL commits at every CREATE TRIGGER anyway, and Django says so.
        migrations.RunPython(*protect("balance_transfer", "balance_ledgeraccount"), atomic=False)
    ]
