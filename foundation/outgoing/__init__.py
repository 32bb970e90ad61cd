"""What happened here, told to subscribers in the form of Standard Webhooks (docs/webhooks.md).

    from foundation.outgoing.appending import append_event

    append_event(kind="order.paid", subject=f"order:{order.id}", payload={…ids…}, now=now)

in the transaction of the change; the rest happens by itself. What happens to many things at once is told with
``append_events``, in one INSERT.
"""
