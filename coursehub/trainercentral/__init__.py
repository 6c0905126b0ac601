"""The only code that speaks TrainerCentral and Zoho on the wire; it knows no framework and no settings.

Calls return frozen records or raise an error of the tree in `errors`; nothing here shows a secret in
a repr, log line, exception or address.
"""

from coursehub.trainercentral.caller import TokenProvider
from coursehub.trainercentral.client import TrainerCentralClient
from coursehub.trainercentral.errors import TrainerCentralError
from coursehub.trainercentral.oauth import ZohoAccounts
from coursehub.trainercentral.profile import AnswerKind, Meaning, Profile
from coursehub.trainercentral.records import AccessToken, Course, Invited, Learner, Member, Portal, Report, TokenGrant

__all__ = [
    "AccessToken",
    "AnswerKind",
    "Course",
    "Invited",
    "Learner",
    "Meaning",
    "Member",
    "Portal",
    "Profile",
    "Report",
    "TokenGrant",
    "TokenProvider",
    "TrainerCentralClient",
    "TrainerCentralError",
    "ZohoAccounts",
]
