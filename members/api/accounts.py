"""What django-allauth asks of the project: the sign-up form, the adapter of accounts, the second factor."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import Any, cast

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal import flows
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.base.response import AuthenticationResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse

from foundation import clock
from members import metrics, services
from members.errors import AddressTaken, MailUnavailable
from members.models import EMAIL_MAX_LENGTH, Member, normalise_email
from members.services import ProfileChange, check_profile

logger = structlog.get_logger(__name__)


def display_name_of(user: Member) -> str:
    """What allauth shows as the account's name (ACCOUNT_USER_DISPLAY)."""
    return user.display_name


class SignUpForm(forms.Form):
    """The fields of sign-up beside e-mail address and password (ACCOUNT_SIGNUP_FORM_CLASS)."""

    display_name = forms.CharField(max_length=200, help_text="Public name, 2 to 40 characters.")
    country = forms.CharField(max_length=2, help_text="ISO 3166-1 alpha-2 code of an enabled market.")
    language = forms.CharField(max_length=3, required=False, help_text="ISO 639-1; default: the country's.")
    time_zone = forms.CharField(max_length=40, required=False, help_text="IANA name; default: the country's.")
    accept_terms = forms.BooleanField(help_text="Must be true: the terms of use are accepted.")

    def clean(self) -> dict[str, Any]:
        """Check the fields as a profile change is checked, so that both say the same."""
        cleaned = super().clean() or self.cleaned_data
        change = ProfileChange(
            display_name=cleaned.get("display_name"),
            country=cleaned.get("country"),
            language=cleaned.get("language") or None,
            time_zone=cleaned.get("time_zone") or None,
        )
        for problem in check_profile(change):
            self.add_error(problem.pointer.lstrip("/"), ValidationError(problem.detail, code=problem.code))
        return cleaned

    def signup(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Allauth requires the method; AccountAdapter.save_user has already stored everything."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Lets allauth's flows make members through our services, and counts and logs what happens."""

    def clean_email(self, email: str) -> str:
        """Refuse what the ascii column cannot hold; other scripts' domains have an ascii form (RFC 5891)."""
        normal = normalise_email(email)
        if not normal.isascii():
            raise ValidationError("Write the address in ASCII (xn--… for the domain).", code="not_ascii")
        if len(normal) > EMAIL_MAX_LENGTH:
            raise ValidationError(f"At most {EMAIL_MAX_LENGTH} characters.", code="too_long")
        return normal

    def save_user(
        self, request: HttpRequest, user: AbstractBaseUser, form: forms.BaseForm, commit: bool = True
    ) -> AbstractBaseUser:
        """Register the member. The loser of two sign-ups at once sees what a taken address always sees."""
        data = form.cleaned_data
        try:
            member_id = services.register(
                email=data["email"],
                password=data["password"],
                display_name=data["display_name"],
                country=data["country"],
                language=data["language"] or None,
                time_zone=data["time_zone"] or None,
                terms_version=settings.TERMS_VERSION,
                now=clock.now(),
            )
        except AddressTaken:
            response = flows.signup.prevent_enumeration(request, email=data["email"])
            raise ImmediateHttpResponse(AuthenticationResponse.from_response(request, response)) from None
        return Member.objects.get(id=member_id)

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner of the address, and take as long as making an account would."""
        Member().set_password(email)
        self.send_mail("account/email/account_already_exists", email, {})

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises MailUnavailable, answered 503: without its code the flow cannot go on."""
        message = cast(EmailMessage, self.render_mail(template_prefix, email, {**context, "email": email}))
        try:
            message.send()
        except OSError as error:
            # smtplib's errors are OSErrors too. The text may hold the address: log the kind only.
            metrics.MAILS_REFUSED.inc()
            logger.error("account_mail_refused", mail=template_prefix, error=type(error).__name__)
            raise MailUnavailable(retry_after_s=30) from error

    def send_notification_mail(self, *arguments: Any, **named: Any) -> None:
        """Tell of a change that has been made. It stands whether or not the mail can be sent."""
        with contextlib.suppress(MailUnavailable):  # counted and logged by send_mail
            super().send_notification_mail(*arguments, **named)

    def format_email_subject(self, subject: str) -> str:
        return str(subject)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        metrics.SIGN_IN_FAILURES.labels("password").inc()
        logger.info("sign_in_failed")

    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, **hook_arguments: Any
    ) -> HttpResponse | None:
        metrics.SIGN_INS.inc()
        logger.info("signed_in", member_id=str(user.pk))
        return cast("HttpResponse | None", super().post_login(request, user, **hook_arguments))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps the secrets of authenticator apps encrypted at rest.

    Fernet (AES-128-CBC with HMAC-SHA-256) under a key derived from SECRET_KEY; keys of
    SECRET_KEY_FALLBACKS still decrypt, so the key can be rotated.
    """

    def encrypt(self, text: str) -> str:
        return _ciphers().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return _ciphers().decrypt(encrypted_text.encode("ascii")).decode()


def _ciphers() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(b"members.second_factor:" + secret.encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
