from django.db import migrations

from balance.append_only import install, remove


class Migration(migrations.Migration):
    dependencies = [("balance", "0001_ledger")]

    # Not in a transaction: MySQL commits at every CREATE TRIGGER anyway, and Django says so.
    operations = [migrations.RunPython(install, remove, atomic=False)]
