"""The matrix of answers to invitations: batches side by side, each with an answer of its own, and every button pressed.

What is promised of each learner, as the sandbox counted: of a call that acted there is one for ever, and one more per
press of "Invite once more"; between two posts the course's members were read; and whatever is left over is left with
a sentence that says why.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from coursehub.sandbox.process import SandboxProcess
from coursehub.trainercentral.profile import Meaning
from tests.support.invitations import answer_cases, people
from tests.support.invitations.answer_cases import Case, Reads
from tests.support.invitations.answer_trials import Trial, World, order_of, rows_of, shown_of, unexplained
from tests.support.invitations.answer_workers import ROUNDS_MOST, ROUNDS_OF_THE_LOUD, drive

_LAST_PRESSES = 2  # once the answers are plain


class Matrix:
    """The trials of one world, on one course of one sandbox; the product's clock is simulated."""

    def __init__(
        self, sandbox: SandboxProcess, course: Any, user: Any, world: World, *, rows: int, presses: int
    ) -> None:
        self.sandbox, self.course, self.user, self.world = sandbox, course, user, world
        self.rows, self.presses = rows, presses
        self.trials: list[Trial] = []
        self.is_odd = True  # the answers; at last they are plain

    def run(self, cases: Iterable[Case]) -> list[Trial]:
        """Send a batch per case and press all there is; what was found stands in the trials."""
        self._script(list(cases))
        for trial in self.trials:
            if trial.case.meaning:
                self._decide(trial, trial.case.meaning)
        self._step("sent", self._upload)
        self._step("resumed", _resume)
        for number in range(self.presses):
            self._step(f"tried again {number + 1}", _retry)
        self._step("uploaded anew", self._upload_anew)
        self._step("decided", self._decide_rows)
        self.sandbox.switch(invitation_answers=[])
        self.is_odd = False
        for number in range(_LAST_PRESSES):
            self._step(f"answers are plain {number + 1}", self._go_on)
        self._judge_end()
        self._step("once more", self._once_more)
        self._step("undone", _undo)
        return self.trials

    # --- The academy ------------------------------------------------------------------------------

    def _script(self, cases: list[Case]) -> None:
        script = []
        for number, case in enumerate(cases):
            domain = f"{case.name}.{number}.example.org".lower()
            odd = [f"odd{row}@{domain}" for row in range(self.rows - 1)]
            self.trials.append(Trial(case, odd, f"plain@{domain}"))
            script += answer_cases.script_of(case, odd, f"odd*@{domain}", acts=self.world is not World.IDLE)
        script.sort(key=lambda entry: "*" not in entry["for"])
        self.sandbox.switch(
            invitation_answers=script, progress_speed=0, hold_seconds=0.2, pending_listed=self.world is not World.HIDDEN
        )

    # --- People -----------------------------------------------------------------------------------

    def _upload(self, trial: Trial) -> bool:
        from invitations import services

        trial.batch = self._batch(trial, "class")
        return services.confirm(trial.batch, actor="trainer")

    def _upload_anew(self, trial: Trial) -> bool:
        """The same learners in another file, by somebody who does not know."""
        from invitations import services

        trial.second = self._batch(trial, "class once more")
        return services.confirm(trial.second, actor="trainer")

    def _batch(self, trial: Trial, name: str) -> Any:
        from invitations import services

        lines = "".join(f"{email},A,B,{name}\n" for email in [*trial.odd, trial.plain])
        content = f"email,first name,last name,notes\n{lines}".encode()
        return services.upload(user=self.user, course=self.course, filename=f"{name}.csv", content=content)

    def _decide(self, trial: Trial, meaning: Meaning) -> None:
        """A first batch of three meets the answer; then an administrator says what it means, right or wrong."""
        from coursehub import academy
        from invitations import services
        from invitations.models import Batch

        scouts = [f"odd-scout{number}@{trial.domain}" for number in range(3)]
        lines = "".join(f"{email},A,B\n" for email in scouts)
        batch = services.upload(
            user=self.user, course=self.course, filename="scouts.csv",
            content=f"email,first name,last name\n{lines}".encode(),
        )  # fmt: skip
        services.confirm(batch, actor="trainer")
        self._drive()
        keys = set(rows_of(batch).exclude(answer_kind="").values_list("answer_kind", flat=True))
        keys |= {key for key in Batch.objects.filter(pk=batch.pk).values_list("answer_kind", flat=True) if key}
        for key in keys or _kinds_of(trial.case):
            academy.decide(key, meaning, actor="admin")
        self._drive()

    def _decide_rows(self, trial: Trial) -> bool:
        return sum(people.decide_rows(batch, self.sandbox) for batch in trial.batches) > 0

    def _go_on(self, trial: Trial) -> bool:
        """Whatever a person can do so that everybody is invited."""
        return sum((_resume(trial), _retry(trial), self._decide_rows(trial))) > 0

    def _once_more(self, trial: Trial) -> bool:
        from coursehub import clock
        from invitations.sending import second_invitation

        tomorrow, pressed = clock.now() + timedelta(days=1), False
        for batch in trial.batches:
            lines = list(rows_of(batch).values_list("line", flat=True))
            pressed |= bool(second_invitation.want(batch, lines, invited_before=tomorrow, actor="trainer"))
        trial.again += pressed
        return pressed

    def _drive(self) -> None:
        loud = self.is_odd and any(trial.case.loud for trial in self.trials)
        drive(self.course.course_id, ROUNDS_OF_THE_LOUD if loud else ROUNDS_MOST)

    # --- What was found ---------------------------------------------------------------------------

    def _step(self, name: str, press: Callable[[Trial], bool]) -> None:
        """Press the button of every batch that has it, let the workers work, and look at what came of it."""
        people.bring_tokens(self.sandbox)  # waits may have taken a week
        pressed = [trial for trial in self.trials if press(trial)]
        if pressed:
            self._drive()
        posts, acted, order = self.sandbox.posts(), self.sandbox.invitations(), order_of(self.sandbox.calls())
        for trial in self.trials:
            mine = [(self.course.course_id, email) for email in [*trial.odd, trial.plain]]
            shown = shown_of(trial, [posts.get(key, 0) for key in mine[:-1]], [acted.get(key, 0) for key in mine[:-1]])
            if trial in pressed:
                trial.seen[name] = shown
            found = [f"{key[1]} was invited {acted[key]} times" for key in mine if acted.get(key, 0) > 1 + trial.again]
            found += [f"{key[1]} was posted to twice without a look" for key in mine if order.blind(key[1])]
            found += unexplained(trial)
            trial.note(name, self.world, found, shown)

    def _judge_end(self) -> None:
        """All answers are plain now, and all buttons were pressed: nobody is left over."""
        acted = self.sandbox.invitations()
        for trial in self.trials:
            if self.world is World.IDLE and trial.case.reads in (Reads.INVITED, Reads.THERE):
                continue  # they said that the learner is there
            if self.world is World.IDLE and trial.case.meaning in (Meaning.INVITED, Meaning.ALREADY_ENROLLED):
                continue  # an administrator did
            left = [one for one in trial.odd if acted.get((self.course.course_id, one)) != 1]
            if left:
                text = f"{len(left)} learners are not invited exactly once in the end"
                trial.violations.append(f"{trial.case.name}, {self.world}: {text} ({trial.seen})")


# --- Buttons ------------------------------------------------------------------------------------------


def _resume(trial: Trial) -> bool:
    return sum(map(people.resume, trial.batches)) > 0


def _retry(trial: Trial) -> bool:
    return sum(map(people.retry, trial.batches)) > 0


def _undo(trial: Trial) -> bool:
    trial.undone = sum(map(people.undo, trial.batches)) > 0
    return trial.undone


def _kinds_of(case: Case) -> set[str]:
    """Kinds noted with this case's code, where no row keeps one."""
    from coursehub.models import AcademyAnswer

    code = str(case.answer.get("body", {})).partition("'errorCode': '")[2].partition("'")[0]
    return set(AcademyAnswer.objects.filter(code=code).values_list("key", flat=True))
