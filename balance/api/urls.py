from __future__ import annotations

from django.urls import URLPattern, path

from balance.api import balances, banking, donations, entries, sandbox, statements, withdrawals
from balance.providers.contract import Outcome

urlpatterns: list[URLPattern] = [
    path("balance", balances.BalanceView.as_view(), name="balance"),
    path("balance/entries", entries.EntriesView.as_view(), name="balance-entries"),
    path("balance/statements", statements.StatementsView.as_view(), name="balance-statements"),
    path("balance/statements/<str:month>", statements.StatementView.as_view(), name="balance-statement"),
    path("balance/activation", banking.ActivationView.as_view(), name="balance-activation"),
    path("bank-accounts", banking.BankAccountsView.as_view(), name="bank-accounts"),
    path("bank-accounts/<id:bank_account_id>", banking.BankAccountView.as_view(), name="bank-account"),
    path("withdrawals", withdrawals.WithdrawalsView.as_view(), name="withdrawals"),
    path("withdrawals/<id:withdrawal_id>", withdrawals.WithdrawalView.as_view(), name="withdrawal"),
    path("withdrawals/<id:withdrawal_id>/cancel", withdrawals.CancelWithdrawalView.as_view()),
    path("charities", donations.CharitiesView.as_view(), name="charities"),
    path("charities/<id:charity_id>", donations.CharityView.as_view(), name="charity"),
    path("donation-setting", donations.DonationSettingView.as_view(), name="donation-setting"),
    path("donations", donations.DonationsView.as_view(), name="donations"),
    path("donations/<id:donation_id>", donations.DonationView.as_view(), name="donation"),
    path("sandbox/payouts/<id:withdrawal_id>/script", sandbox.ScriptView.as_view()),
    path("sandbox/payouts/<id:withdrawal_id>/repeat", sandbox.RepeatView.as_view()),
    path(
        "sandbox/payouts/<id:withdrawal_id>/pay",
        sandbox.settle_view("pay", Outcome.PAID, "Have the sandbox bank pay it"),
    ),
    path(
        "sandbox/payouts/<id:withdrawal_id>/fail",
        sandbox.settle_view("fail", Outcome.FAILED, "Have the sandbox bank fail to pay it"),
    ),
    path(
        "sandbox/payouts/<id:withdrawal_id>/return",
        sandbox.settle_view("return", Outcome.RETURNED, "Have the sandbox bank get it back"),
    ),
]
