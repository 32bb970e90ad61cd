from __future__ import annotations

from foundation.errors import Conflict, NotFound, RuleBroken


class FilingNotFound(NotFound):
    code = "filing_not_found"
    title = "There is no such filing"


class FilingOpen(Conflict):
    """The year has a filing that is not finished; a correction would speak of what nobody has answered."""

    code = "filing_open"
    title = "A filing for this year is still open"


class NothingFiledYet(Conflict):
    code = "nothing_filed_yet"
    title = "Nothing was filed for this year that could be corrected"


class FilingNotReady(Conflict):
    """The filing is not in the status for this, such as approving what was not validated."""

    code = "filing_not_ready"
    title = "The filing is not ready for this"


class FilingClaimed(Conflict):
    code = "filing_claimed"
    title = "Another worker is compiling this filing"


class FilingChanged(Conflict):
    """What is written now is not what was validated: the program or the rows were changed in between."""

    code = "filing_changed"
    title = "The file is not the one that was validated"


class ReviewMissing(Conflict):
    code = "filing_review_missing"
    title = "Nobody has reviewed the filing yet"


class OtherPersonNeeded(Conflict):
    code = "filing_other_person_needed"
    title = "Somebody else has to do this"


class SellersNotTold(Conflict):
    """The law has natural persons told before they are reported; a worker is at it."""

    code = "filing_sellers_not_told"
    title = "The sellers have not been told yet"


class NobodyToOmit(Conflict):
    """What the rules found is not a seller's silence: leaving somebody out would only hide it."""

    code = "filing_nobody_to_omit"
    title = "Nobody in error owes us an answer"


class FilingWouldBeNil(Conflict):
    """A nil return says that there is nobody to report, which is not so."""

    code = "filing_would_be_nil"
    title = "Nobody would be left in the filing"


class ReasonMissing(RuleBroken):
    code = "filing_reason_missing"
    title = "Say why"


class DialectUnknown(RuleBroken):
    code = "filing_dialect_unknown"
    title = "There is no such form of the message"


class SourceDisordered(RuleBroken):
    """The figures come out of order or twice: the filing would not be the same the next time."""

    code = "filing_source_disordered"
    title = "The sellers to report are out of order"


class RecordUnwritable(RuleBroken):
    """A frozen text has a character that XML cannot hold; the finding names the record."""

    code = "filing_record_unwritable"
    title = "A record cannot be written"


class StatusRefused(RuleBroken):
    """A status message that cannot be imported; `extra.rule` names the rule. Nothing of it counts."""

    code = "status_refused"
    title = "The status message was refused"


class StatementNotFound(NotFound):
    code = "tax_statement_not_found"
    title = "There is no tax statement for this year"
