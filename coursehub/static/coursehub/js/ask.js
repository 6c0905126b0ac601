// A form with data-ask="<dialog id>" asks before it is sent. Delegated, because a page's markup may be replaced.
document.addEventListener("submit", (event) => {
  const dialog = document.getElementById(event.target.dataset.ask);
  if (!dialog || event.target.dataset.answered) return;
  event.preventDefault();
  dialog.showModal();
}, { capture: true });
document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-dialog]")?.dataset.dialog;
  const dialog = event.target.closest("dialog");
  if (!choice || !dialog) return;
  dialog.close();
  const form = document.querySelector(`form[data-ask="${dialog.id}"]`);
  if (choice === "yes" && form) {
    form.dataset.answered = "yes";
    form.requestSubmit(form.querySelector("button"));
  }
});
