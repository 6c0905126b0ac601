"""A Monday of the maintenance team, by hand: a consent refused, a sitting interrupted, taken up and signed off."""

import re

import pytest
from playwright.sync_api import expect

from coursehub import clock
from coursehub.models import AuditEvent
from oauthtokens import services
from oauthtokens.models import Sitting, TokenSet
from oauthtokens.regeneration import consents
from tests.journeys.conftest import Product
from tests.support.environment import SANDBOX_PORT

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

LIST = "/admin/oauthtokens/tokenset/"


@pytest.fixture
def product(academy, static_files):
    """A web process whose accounts server is another site to the browser: only a Lax cookie survives the way back."""
    product = Product()
    product.start_web(ZOHO_ACCOUNTS_URL=f"http://localhost:{SANDBOX_PORT}")
    yield product
    product.stop()


@pytest.fixture
def let_time_pass(product):
    """`let_time_pass(page)`: the 15 seconds between two consents, by MongoDB's clock for all processes."""

    def wait(page) -> None:
        clock.simulate(ahead_seconds=consents.EVERY_SECONDS)
        page.wait_for_timeout(1_500)  # every process looks at the clock's document about once a second
        page.reload()

    yield wait
    clock.end_simulation()


def test_the_maintenance_team_regenerates_set_by_set(sign_in, academy, let_time_pass):
    maria = sign_in("maintenance")
    answers = []
    maria.on("request", lambda request: "/oauth/callback/" in request.url and answers.append(request.url))
    maria.goto(LIST)
    expect(maria.get_by_role("heading", name=re.compile("need new tokens"))).to_be_visible()

    # Refused at Zoho: the set is as it was.
    maria.get_by_role("button", name="Regenerate set 2").click()
    maria.get_by_role("button", name="Deny").click()
    maria.wait_for_url(f"**{LIST}")
    expect(maria.get_by_text("Token set 2 is as it was: the consent was refused at Zoho.")).to_be_visible()
    assert TokenSet.objects.get(number=2).state == TokenSet.State.EMPTY
    expect(maria.get_by_role("button", name=re.compile(r"Regenerate set 2 in \d+ s"))).to_be_disabled()

    # One click starts with all that need it.
    maria.get_by_role("button", name="Start regeneration").click()
    maria.wait_for_url("**/regeneration/")
    let_time_pass(maria)
    _consent(maria, 2)
    expect(maria.get_by_text("Token set 2 has new tokens.")).to_be_visible()
    expect(maria.get_by_role("button", name=re.compile(r"Give consent set 3 in \d+ s"))).to_be_disabled()

    # The same answer again, from the browser's history, is good for nothing.
    maria.goto(answers[-1])
    expect(maria.get_by_text("This consent was used before")).to_be_visible()
    assert "code=" not in maria.url
    maria.close()

    # Interrupted; taken up in another browser.
    again = sign_in("maintenance")
    again.goto(LIST)
    expect(again.get_by_text("A regeneration is under way: 1 of 6 sets done")).to_be_visible()
    again.get_by_role("link", name="Go on").click()
    let_time_pass(again)
    _consent(again, 3)
    again.get_by_role("button", name="Skip").click()
    expect(again.locator('[data-set="4"]')).to_have_attribute("data-step", "skipped")
    again.locator('[data-step="next"]').get_by_role("link", name="Paste a code").click()
    again.get_by_label("Code").fill(academy.self_client_code(services.SCOPE))
    again.get_by_role("button", name="Regenerate set 5").click()
    again.wait_for_url("**/regeneration/")

    # Signed off, with a record.
    again.get_by_label("Remarks (optional)").fill("Sets 6 and 7 tomorrow.")
    again.get_by_role("button", name="Sign off as maintenance").click()
    expect(again.get_by_text("Signed off: 3 of 6 token sets have new tokens.")).to_be_visible()
    again.get_by_role("link", name="Regeneration and its records").click()
    expect(again.get_by_text("Sets 6 and 7 tomorrow.")).to_be_visible()

    outcomes = {entry["number"]: entry["outcome"] for entry in Sitting.objects.get().result}
    assert outcomes == {2: "regenerated", 3: "regenerated", 4: "skipped", 5: "regenerated", 6: "left", 7: "left"}
    states = dict(TokenSet.objects.values_list("number", "state"))
    assert [states[number] for number in (2, 3, 4, 5)] == ["ready", "ready", "empty", "ready"]
    assert len(academy.state()["tokens"]) == 4
    actors = AuditEvent.objects.filter(action="token_set.regenerated").values_list("actor", flat=True)
    assert list(actors).count("maintenance") == 3


def test_a_set_is_revoked_by_typing_its_number(sign_in, academy):
    admin = sign_in("admin")
    admin.goto(LIST)
    expect(admin.get_by_role("button", name="Start regeneration")).to_have_count(0)
    card = admin.locator('[data-set="1"]')
    card.get_by_text("In an emergency").click()
    card.get_by_role("link", name="Revoke…").click()
    admin.get_by_label("Type 1 to confirm").fill("1")
    admin.get_by_role("button", name="Revoke").click()
    expect(admin.get_by_text("Token set 1 is revoked at Zoho, and its tokens are destroyed here.")).to_be_visible()
    assert academy.state()["tokens"] == []


def _consent(page, number: int) -> None:
    page.get_by_role("button", name=f"Give consent set {number}", exact=True).click()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/regeneration/")
    expect(page.locator(f'[data-set="{number}"]')).to_have_attribute("data-step", "done")
