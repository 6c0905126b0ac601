"""`make screenshots`: the pictures of the documentation, taken of the real product."""

import re

import pytest
from playwright.sync_api import expect

from oauthtokens import services as token_services
from tests.support import ROOT

IMAGES = ROOT / "docs" / "images"
CSV = "email,first name,last name\n" + "".join(f"learner{n}@example.org,Learner,No {n}\n" for n in range(400))
BAD_LINES = "not-an-address,Bad,Row\nlearner3@example.org,Learner,Twice\n"


@pytest.fixture(autouse=True)
def _only_when_asked_for(request):
    if not request.config.getoption("--screenshots"):
        pytest.skip("only with --screenshots")
    IMAGES.mkdir(exist_ok=True)


def _take(page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")


def test_screenshots(sign_in, academy):
    academy.switch(latency_ms=[40, 90])
    trainer = sign_in("trainer")
    trainer.goto("/invitations/upload/")
    _take(trainer, "upload")
    trainer.get_by_label("Course").select_option(index=1)
    file = {"name": "autumn-class.csv", "mimeType": "text/csv", "buffer": (CSV + BAD_LINES).encode()}
    trainer.set_input_files("input[type=file]", file)
    trainer.get_by_role("button", name="Upload and preview").click()
    trainer.wait_for_url(re.compile(r"/invitations/[0-9a-f-]{36}/"))
    _take(trainer, "preview")
    trainer.locator("#confirm-button").click()
    trainer.wait_for_function("() => parseInt(document.querySelector('.ch-run__count').innerText) > 150")
    trainer.screenshot(path=IMAGES / "batch.png")
    trainer.goto("/progress/")
    trainer.locator("main a[href^='/progress/']").first.click()
    expect(trainer.locator("#members tr[data-member]").nth(5)).to_be_visible(timeout=30_000)
    _take(trainer, "progress")
    maintenance = sign_in("maintenance")
    maintenance.goto("/admin/")
    _take(maintenance, "dashboard")
    for number in range(2, 7):
        code = academy.self_client_code(token_services.SCOPE)
        token_services.exchange_code(number=number, code=code, actor="maintenance")
    for _ in range(4):
        token_services.refresh_set(1, force=True)
    maintenance.goto("/admin/oauthtokens/tokenset/")
    _take(maintenance, "tokens")
    maintenance.get_by_role("button", name="Start regeneration").click()
    maintenance.wait_for_url("**/regeneration/")
    _take(maintenance, "regeneration")
