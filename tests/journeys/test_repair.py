"""A list is put right where it is seen: by keyboard only, on a phone in the dark, and without a script."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

GOOD = [f"learner{number}@gmail.com" for number in range(8)]
SLIPS = [f"slip{number}@gmial.com" for number in range(3)]
BAD = ["ada.example.org", "grace@", "alan@example,org", "mary@example,org"]
CSV = "email,first name,last name\n" + "".join(f"{one},Some,Body\n" for one in [*GOOD, *SLIPS])
CSV += "".join(f'"{one}",Some,Body\n' for one in BAD)
RIGHT = ["ada@example.org", "grace@example.org", "alan@example.org", "mary@example.org"]
FIRST_BAD = len(GOOD) + len(SLIPS) + 2


def _upload(page) -> None:
    page.goto("/invitations/upload/")
    page.get_by_label("Course").select_option(index=1)
    page.set_input_files("input[type=file]", {"name": "class.csv", "mimeType": "text/csv", "buffer": CSV.encode()})
    page.get_by_role("button", name="Upload and preview").click()
    page.wait_for_url(re.compile(r"/invitations/[0-9a-f-]{36}/"))


def _write(page, address: str) -> None:
    """In the field that has the focus, whose text is selected."""
    expect(page.locator("#repair-email")).to_be_focused()
    page.keyboard.type(address)
    page.keyboard.press("Enter")


def test_a_list_is_put_right_by_keyboard_and_everybody_is_invited_once(sign_in, academy):
    page = sign_in("trainer")
    _upload(page)
    page.locator(f"#edit-{FIRST_BAD}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#repair-email")).to_have_value(BAD[0])
    page.keyboard.press("Escape")
    expect(page.locator("#repair-form")).to_have_count(0)
    expect(page.locator(f"#edit-{FIRST_BAD}")).to_be_focused()

    page.keyboard.press("Enter")
    _write(page, "still nonsense")
    expect(page.get_by_role("alert").filter(has_text="Not an e-mail address")).to_be_visible()
    page.locator("#repair-email").select_text()
    _write(page, RIGHT[0])
    expect(page.locator("#repair-email")).to_have_value(BAD[1])  # the next bad row
    expect(page.locator("#batch-spoken")).to_contain_text(f"Line {FIRST_BAD}: Will be invited.")
    _write(page, RIGHT[1])
    expect(page.locator("#repair-email")).to_have_value(BAD[2])
    _write(page, RIGHT[2])
    expect(page.locator("#repair-email")).to_have_value(BAD[3])
    expect(page.locator("#batch-spoken")).to_contain_text("One more address is at example,org.")
    page.keyboard.press("Escape")
    page.locator("#correct-all").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The addresses at example,org are now at example.org.")).to_be_visible()

    page.get_by_role("button", name="Correct 3").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The addresses at gmial.com are now at gmail.com.")).to_be_visible()
    expect(page.get_by_text("did you mean")).to_have_count(0)

    page.locator("#rows-table tr", has_text=GOOD[0]).get_by_role("link", name="Edit").focus()
    page.keyboard.press("Enter")
    page.locator("#leave-out-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bad-rows tr", has_text="Left out by trainer.")).to_be_visible()
    page.locator("#bad-rows").get_by_role("link", name="Take back line 2").focus()
    page.keyboard.press("Enter")
    page.locator("#take-back-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bad-rows tr", has_text="Left out by trainer.")).to_have_count(0)

    page.get_by_role("button", name="Confirm and invite 15").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=120_000)
    wanted = {*GOOD, *[one.replace("gmial", "gmail") for one in SLIPS], *RIGHT}
    assert {one["email"]: one["count"] for one in academy.counters()["invitations"]} == dict.fromkeys(wanted, 1)
    results = page.request.get(f"{page.url.split('#')[0].split('?')[0]}results.csv").text()
    assert "ada.example.org" in results
    assert "Corrected: the address from “ada.example.org” to “ada@example.org”." in results


def test_on_a_phone_in_the_dark(sign_in, tmp_path):
    page = sign_in("trainer")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    _upload(page)
    page.locator(f"#edit-{FIRST_BAD}").click()
    expect(page.locator("#repair-email")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#repair-button").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.locator("#repair-email").fill(RIGHT[0])
    page.locator("#repair-button").click()
    expect(page.locator("#repair-email")).to_have_value(BAD[1])


def test_without_a_script(sign_in, browser, product):
    scripted = sign_in("trainer")
    _upload(scripted)
    context = browser.new_context(
        base_url=product.url, java_script_enabled=False, storage_state=scripted.context.storage_state()
    )
    page = context.new_page()
    page.goto(scripted.url)
    page.locator(f"#edit-{FIRST_BAD + 2}").click()
    page.locator("#repair-email").fill("nonsense")
    page.locator("#repair-button").click()
    expect(page.get_by_role("alert").filter(has_text="Not an e-mail address")).to_be_visible()
    expect(page.locator("#repair-email")).to_have_value("nonsense")
    page.locator("#repair-email").fill(RIGHT[2])
    page.locator("#repair-button").click()
    expect(page.get_by_text("Will be invited.").first).to_be_visible()
    page.locator("#correct-all").click()
    expect(page.get_by_text("The addresses at example,org are now at example.org.")).to_be_visible()
    context.close()
