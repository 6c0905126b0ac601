from django.apps import AppConfig


class InvitationsConfig(AppConfig):
    name = "invitations"
    verbose_name = "Invitations"

    def ready(self) -> None:
        from coursehub import academy, backup, course_members, queue
        from coursehub.privacy import erasure
        from invitations.sending import unclear_answers

        erasure.register(
            "invitations", erase="invitations.erasure.erase", addresses="invitations.erasure.held_addresses"
        )
        academy.register_decision_listener(unclear_answers.settle)
        academy.register_waiting_counter(unclear_answers.waiting)
        backup.register("invitations", settle="invitations.restore.settle")
        course_members.register_read_task("invitations.tasks.course_was_read")
        queue.register_tick("invitations.tasks.tick", seconds=1)
        queue.register_tick("invitations.tasks.prepare", seconds=2)
        queue.register_tick("invitations.tasks.sweep", seconds=15)
        queue.register_tick("invitations.tasks.forget_old", seconds=600)
