"""What members are told, in their inbox and by mail (docs/notifications.md).

    from members.services.notices import notify

    notify(member_id=…, kind="order.paid", params={…}, subject=f"order:{order_id}", key=…, now=now)

in the transaction of the change; the rest happens by itself. The kinds and their texts are a table that
each app fills in its own notices.py.
"""
