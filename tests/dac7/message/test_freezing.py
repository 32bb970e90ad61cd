from __future__ import annotations

import io

import pyrage
import pytest

from dac7.message.encrypting import RecipientInvalid, encrypt
from dac7.message.freezing import freeze, thaw_operator, thaw_seller
from dac7.message.records import ReportedSeller
from tests.dac7.message.messages import COMPANY, NAMELESS_TIN, OPERATOR, SELLER


class TestFreeze:
    @pytest.mark.parametrize("seller", [SELLER, NAMELESS_TIN, COMPANY], ids=["seller", "nameless", "company"])
    def test_nothing_is_lost_and_the_text_is_always_the_same(self, seller: ReportedSeller) -> None:
        assert thaw_seller(freeze(seller)) == seller
        assert freeze(thaw_seller(freeze(seller))) == freeze(seller)

    def test_the_operator_too(self) -> None:
        assert thaw_operator(freeze(OPERATOR)) == OPERATOR


class TestEncrypt:
    def test_only_the_recipients_read_it(self) -> None:
        authority, stranger = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
        target = io.BytesIO()
        encrypt(io.BytesIO(b"<xml/>" * 50_000), target, [str(authority.to_public())])
        assert pyrage.decrypt(target.getvalue(), [authority]) == b"<xml/>" * 50_000
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(target.getvalue(), [stranger])

    def test_what_is_no_key_is_refused(self) -> None:
        with pytest.raises(RecipientInvalid):
            encrypt(io.BytesIO(b""), io.BytesIO(), ["age1nonsense"])
