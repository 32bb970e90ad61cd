"""The life of the mail of a notice: one table, and nothing else assigns `mail_status`."""

from __future__ import annotations

from enum import StrEnum

from foundation.lifecycle import Lifecycle, Transition, register

WORKER, STAFF = "worker", "staff"


class MailStatus(StrEnum):
    """Where the mail of a notice stands; a notice that is not mailed has none."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNWANTED = "unwanted"
    GIVEN_UP = "given_up"


_S = MailStatus

NOTICE_MAIL = register(
    Lifecycle(
        "Mail of a notice",
        statuses=MailStatus,
        initial=_S.WAITING,
        meanings={
            _S.WAITING: "to be sent, for the first time or again after a pause",
            _S.SENDING: "a worker has it in hand; after its lease another one takes it",
            _S.SENT: "the mail server took it",
            _S.UNWANTED: "the member switched such mails off, or closed the account",
            _S.GIVEN_UP: "the address does not exist, or the last attempt failed; the inbox has it",
        },
        transitions=[
            Transition(_S.WAITING, "claim", _S.SENDING, WORKER, note="once it is due"),
            Transition(_S.SENDING, "claim", _S.SENDING, WORKER, note="its worker died: sent again, same id"),
            Transition(_S.SENDING, "send", _S.SENT, WORKER),
            Transition(_S.SENDING, "drop", _S.UNWANTED, WORKER),
            Transition(_S.SENDING, "postpone", _S.WAITING, WORKER, note="the mail server did not take it"),
            Transition(_S.SENDING, "give_up", _S.GIVEN_UP, WORKER),
            Transition(_S.GIVEN_UP, "send_again", _S.WAITING, STAFF, note="with a note"),
        ],
    )
)
