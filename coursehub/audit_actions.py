"""Every action that the audit trail may hold: "thing.verb". Pages, forecasts and tests read them by these names."""

from enum import StrEnum


class Action(StrEnum):
    """What was done, as an event of the audit trail says it. Once written, a name stays: old events hold it."""

    ANSWER_ASKED_AGAIN = "answer.asked_again"
    ANSWER_DECIDED = "answer.decided"
    ANSWER_LEARNT = "answer.learnt"

    BACKUP_RESTORED = "backup.restored"
    BACKUP_TAKEN = "backup.taken"

    BATCH_CANCELLED = "batch.cancelled"
    BATCH_CELLS_DELETED = "batch.cells_deleted"
    BATCH_COMPLETED = "batch.completed"
    BATCH_COMPLETED_WITH_ERRORS = "batch.completed_with_errors"
    BATCH_CONFIRMED = "batch.confirmed"
    BATCH_INVITING_AGAIN = "batch.inviting_again"
    BATCH_INVITING_AGAIN_CANCELLED = "batch.inviting_again_cancelled"
    BATCH_INVITING_AGAIN_FINISHED = "batch.inviting_again_finished"
    BATCH_NAMES_FILLED = "batch.names_filled"
    BATCH_NAMES_LEFT_OUT = "batch.names_left_out"
    BATCH_PAUSED = "batch.paused"
    BATCH_READ = "batch.read"
    BATCH_READ_ANEW = "batch.read_anew"
    BATCH_REFUSED = "batch.refused"
    BATCH_RESUMED = "batch.resumed"
    BATCH_RESUMED_FOR_ROWS = "batch.resumed_for_rows"
    BATCH_RETRIED = "batch.retried"
    BATCH_ROWS_CORRECTED = "batch.rows_corrected"
    BATCH_ROWS_LEFT_OUT = "batch.rows_left_out"
    BATCH_ROWS_SENT_AGAIN = "batch.rows_sent_again"
    BATCH_ROWS_TAKEN_BACK = "batch.rows_taken_back"
    BATCH_UNDO_BEGUN = "batch.undo_begun"
    BATCH_UNDONE = "batch.undone"
    BATCH_UPLOADED = "batch.uploaded"

    CLIENT_TOKEN_ACCESS_TOKEN_GIVEN_UP = "client_token.access_token_given_up"
    CLIENT_TOKEN_ACCESS_TOKEN_REJECTED = "client_token.access_token_rejected"
    CLIENT_TOKEN_BROKEN = "client_token.broken"
    CLIENT_TOKEN_COOLING = "client_token.cooling"
    CLIENT_TOKEN_REFRESH_FAILED = "client_token.refresh_failed"
    CLIENT_TOKEN_REFRESHED = "client_token.refreshed"
    CLIENT_TOKEN_REVOCATION_ASKED = "client_token.revocation_asked"
    CLIENT_TOKEN_REVOCATION_FAILED = "client_token.revocation_failed"
    CLIENT_TOKEN_REVOKED = "client_token.revoked"
    CLIENT_TOKEN_UNDECRYPTABLE = "client_token.undecryptable"

    COURSE_ADDED = "course.added"
    COURSE_CHANGED = "course.changed"
    COURSE_DELETED = "course.deleted"

    COURSE_ACCESS_GIVEN = "course_access.given"
    COURSE_ACCESS_TAKEN = "course_access.taken"

    COURSES_SYNCED = "courses.synced"

    INVITATION_ALREADY_THERE = "invitation.already_there"
    INVITATION_SENT_AGAIN = "invitation.sent_again"

    LEARNER_ERASED = "learner.erased"

    RISK_THRESHOLDS_CHANGED = "risk_thresholds.changed"

    TOKEN_POOL_RESUMED = "token_pool.resumed"
    TOKEN_POOL_STOPPED = "token_pool.stopped"

    TOKEN_SET_ACCESS_TOKEN_GIVEN_UP = "token_set.access_token_given_up"
    TOKEN_SET_ACCESS_TOKEN_REJECTED = "token_set.access_token_rejected"
    TOKEN_SET_ACTIVATED = "token_set.activated"
    TOKEN_SET_BROKEN = "token_set.broken"
    TOKEN_SET_COOLING = "token_set.cooling"
    TOKEN_SET_EXHAUSTED = "token_set.exhausted"
    TOKEN_SET_REFRESH_FAILED = "token_set.refresh_failed"
    TOKEN_SET_REFRESHED = "token_set.refreshed"
    TOKEN_SET_REGENERATED = "token_set.regenerated"
    TOKEN_SET_RESERVE_RELEASED = "token_set.reserve_released"
    TOKEN_SET_REVOCATION_ASKED = "token_set.revocation_asked"
    TOKEN_SET_REVOCATION_FAILED = "token_set.revocation_failed"
    TOKEN_SET_REVOKED = "token_set.revoked"
    TOKEN_SET_UNDECRYPTABLE = "token_set.undecryptable"

    TOKEN_SITTING_SIGNED_OFF = "token_sitting.signed_off"
    TOKEN_SITTING_SKIPPED = "token_sitting.skipped"
    TOKEN_SITTING_STARTED = "token_sitting.started"

    TOKENS_REENCRYPTED = "tokens.reencrypted"

    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_CREATED = "user.created"
    USER_DELETED = "user.deleted"
    USER_DEMO_PASSWORD_REMOVED = "user.demo_password_removed"
    USER_INVITED = "user.invited"
    USER_PASSWORD_CHOSEN = "user.password_chosen"
    USER_SIGN_IN_FAILED = "user.sign_in_failed"
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
