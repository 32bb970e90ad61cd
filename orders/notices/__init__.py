"""What buyers and sellers are told: the rows of the table of notices (docs/notifications.md).

Every kind of an order takes `order_id` and `title` (of the first item), and what its row names besides. Its
subject is "order:<id>"; its key says which notice of the order it is, such as "order:<id>:sold".
"""

from __future__ import annotations

from orders.notices import offers, problems, purchases

__all__ = ["offers", "problems", "purchases"]
