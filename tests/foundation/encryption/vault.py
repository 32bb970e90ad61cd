"""A model with encrypted columns, known to no app: the tests make its table themselves."""

from __future__ import annotations

from django.db import models

from foundation.encryption import BlindIndexField, EncryptedBytesField, EncryptedTextField
from foundation.ids import IdField


class Account(models.Model):
    id = IdField(primary_key=True)
    name = models.CharField(max_length=20, default="")
    iban = EncryptedTextField(max_length=34)
    iban_index = BlindIndexField(of="iban", unique=True)
    number = EncryptedTextField(null=True)
    number_index = BlindIndexField(of="number", null=True, db_index=True)
    file_key = EncryptedBytesField(null=True)

    class Meta:
        app_label = "vault"
        db_table = "vault_account"

    def __str__(self) -> str:
        return str(self.id)
