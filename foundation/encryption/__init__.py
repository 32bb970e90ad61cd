"""Personal data encrypted at rest: bound to its row and column, with rotating keys (docs/security.md, ADR 6).

class BankAccount(models.Model):
    id = IdField(primary_key=True)
    iban = EncryptedTextField(max_length=34)
    iban_index = BlindIndexField(of="iban")

account = BankAccount(iban="LT12…")          # sealed at once, for this row
account.iban                                 # SealedText(********)
account.iban.reveal()                        # the text; the only way to it
BankAccount.objects.filter(matching(BankAccount, "iban", "LT12…"))
BankAccount.objects.filter(id=…).update(iban=sealed(BankAccount, "iban", row_id=…, value="LT34…"), …)
"""

from __future__ import annotations

from foundation.encryption.blind_index import blind_index
from foundation.encryption.envelope import (
    CannotOpen,
    KeyUnknown,
    NotAnEnvelope,
    NotAuthentic,
    open_bytes,
    open_text,
    seal_bytes,
    seal_text,
)
from foundation.encryption.fields import (
    BlindIndexField,
    EncryptedBytesField,
    EncryptedTextField,
    column_of,
    matching,
    sealed,
)
from foundation.encryption.files import new_file_key, open_file, seal_file
from foundation.encryption.values import SealedBytes, SealedText, SecretBytes, SecretText

__all__ = [
    "BlindIndexField",
    "CannotOpen",
    "EncryptedBytesField",
    "EncryptedTextField",
    "KeyUnknown",
    "NotAnEnvelope",
    "NotAuthentic",
    "SealedBytes",
    "SealedText",
    "SecretBytes",
    "SecretText",
    "blind_index",
    "column_of",
    "matching",
    "new_file_key",
    "open_bytes",
    "open_file",
    "open_text",
    "seal_bytes",
    "seal_file",
    "seal_text",
    "sealed",
]
