"""Every table, imported together so that the metadata is whole."""

from models import account, certificate, event, idempotency, invite, region, registration, tally, union
from models.base import Base

metadata = Base.metadata
__all__ = [
    "account",
    "certificate",
    "event",
    "idempotency",
    "invite",
    "metadata",
    "region",
    "registration",
    "tally",
    "union",
]
