"""What the demo cannot wait for: thirty small sales in the books, and two persons of the tax staff.

Run inside the service (``manage.py shell``). The sales are postings like those of any order that was paid by
card and completed; no listing, parcel or buyer stands behind them.
"""

from __future__ import annotations

from balance import events
from balance.chart import Event
from balance.events import Charges, Fee, NewPosting, Share
from balance.services.posting import post_many
from foundation import clock
from foundation.ids import new_id
from foundation.money import Money
from members.models import Member


def post_past_sales(seller_id: str, *, number: int, cents: int) -> None:
    """So many sales, each with so many cents of euros for the seller."""
    price, nothing = Money(cents, "EUR"), Money(0, "EUR")
    none, seller = Fee(nothing, nothing), Share(seller_id, price)
    paid = events.sale_captured(
        seller=seller,
        buyer_id="demo",
        wallet=nothing,
        card=price,
        charges=Charges(nothing, nothing, nothing),
    )
    completed = events.sale_completed(
        seller=seller, donation=nothing, charity_id=None, fee=none, shipping=nothing, verification=none
    )
    post_many(
        [
            NewPosting(key=f"{order}:{verb}", event=event, lines=lines, reference=order, actor="system")
            for order in (f"order:{new_id()}" for _ in range(number))
            for verb, event, lines in (
                ("captured", Event.SALE_CAPTURED, paid),
                ("completed", Event.SALE_COMPLETED, completed),
            )
        ],
        now=clock.now(),
    )


def make_staff(email: str, password: str) -> None:
    """Somebody who may do everything in the admin, with this password from now on."""
    member = Member.objects.filter(email=email).first()
    if member is None:
        Member.objects.create_superuser(email, password, display_name="Tax staff", market="IE")
        return
    member.set_password(password)
    member.save()
