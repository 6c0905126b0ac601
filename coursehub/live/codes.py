"""Why a socket was closed, as its page is told."""

SIGNED_OUT, NOT_PERMITTED, TOO_SLOW, NOT_UNDERSTOOD = 4401, 4403, 4408, 4400
COME_AGAIN = 1012  # "service restart"
