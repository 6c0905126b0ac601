// Rows are put right where they stand. Enter saves and goes to the next bad row, Escape leaves. The markup is the
// server's: the form is taken from its own page, and what became of the row is shown by renewing the batch's page.

const NEXT = "#bad-rows tr[data-state='invalid']";
let opening = 0;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-repair]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open(link);
  } else if (event.target.closest("[data-editing] [data-repair-close]")) {
    event.preventDefault();
    close();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && editing()) close();
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-editing] form");
  if (!form) return;
  event.preventDefault();
  save(form, event.submitter);
});

const editing = () => document.querySelector("[data-editing]");
const say = (text) => { document.getElementById("batch-spoken").textContent = text; };

async function open(link) {
  const turn = ++opening;
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = page.getElementById("repair-form");
    if (!form) return location.assign(link.href); // the row has moved on, or the session is over: its page says so
    if (turn !== opening) return;
    // The page may have been renewed meanwhile: the same link stands in the new markup.
    const there = link.isConnected ? link : document.getElementById(link.id);
    if (!there) return location.assign(link.href);
    show(there, document.importNode(form, true));
  } catch {
    location.assign(link.href);
  }
}

function show(link, form) {
  close();
  const row = link.closest("tr"), box = document.createElement("tr"), cell = document.createElement("td");
  box.dataset.editing = link.id || "";
  cell.colSpan = row.cells.length;
  cell.append(form);
  box.append(cell);
  row.after(box);
  const field = form.querySelector("[autofocus]") || form.querySelector("input:not([type=hidden])");
  field.focus();
  field.select();
}

/** Leaves the form without saving; the focus goes back to where it was opened. */
function close() {
  const box = editing();
  if (!box) return;
  const link = box.previousElementSibling?.querySelector("[data-repair]");
  box.remove();
  link?.focus();
}

async function save(form, button) {
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  const data = new FormData(form, button), sentence = form.querySelector("#repair-sentence");
  sentence.textContent = "";
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (told.saved) return void await saved(form, told, button?.value === "repair");
    sentence.textContent = told.sentence;
    form.querySelector("[autofocus]")?.focus();
  } catch {
    sentence.textContent = "That was not saved: check the connection, and save again.";
  }
  form.ariaBusy = "false";
  button && (button.ariaBusy = "false");
}

async function saved(form, told, wasRepaired) {
  const box = form.closest("tr"), from = box.dataset.editing;
  const next = wasRepaired && box.closest("#bad-rows") ? lineAfter(box.previousElementSibling) : "";
  close();
  const detail = {};
  document.dispatchEvent(new CustomEvent("coursehub:renew", { detail }));
  await detail.renewed;
  const offer = document.getElementById("repair-offer");
  if (offer && told.offer) offer.innerHTML = told.offer;
  const link = next && document.getElementById(`edit-${next}`);
  const focused = document.activeElement;
  if (link) await open(link);
  else if (focused === document.body || focused.id === from) { // nobody has gone elsewhere meanwhile
    (document.getElementById("correct-all") || document.getElementById(from) || document.getElementById("content")).focus();
  }
  const more = offer?.querySelector("[data-offer] .ch-note__text")?.textContent.replace(/\s+/g, " ").trim();
  say(`${told.sentence}${more ? ` ${more}` : ""}`);
}

/** The line of the next row that cannot be invited, from this one on and then from the top; "" without any. */
function lineAfter(row) {
  const rows = [...document.querySelectorAll(NEXT)];
  const line = Number(row.dataset.line || 0);
  const others = rows.filter((one) => one !== row && Number(one.dataset.line) !== line);
  return (others.find((one) => Number(one.dataset.line) > line) || others[0])?.dataset.line || "";
}
