// Small manners of every page: the account menu closes, a form is not sent twice, the first field has the focus.

const menu = document.getElementById("user-menu");

document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  // Only our own buttons: an action of the admin may well be meant twice, such as a download.
  const button = event.submitter;
  if (event.defaultPrevented || !button?.classList.contains("ch-button")) return;
  if (button.ariaBusy === "true") return event.preventDefault();
  button.ariaBusy = "true";
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll('.ch-button[aria-busy="true"]')) button.ariaBusy = "false";
});
addEventListener("load", () => {
  // The browser's own autofocus comes while the theme's script still hides the page, and is lost.
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});
