// The page of one batch: counts, bar and rows follow the socket. The markup is the server's alone: when the
// state changes, the server's new page replaces this one's; in between only numbers and rows are filled in.

import { now, setTime, timeElement } from "coursehub/age";
import { connect, say } from "coursehub/socket";

const ROWS_PAUSE = 1000, SEARCH_PAUSE = 5000, SPOKEN_PAUSE = 5000, ERRORS_PAUSE = 3000;
const MAY_DECIDE = new Set(["completed", "completed_with_errors"]);
const MAY_REPAIR = { // as `REPAIRABLE` of invitations/repair/acts.py
  preview: ["pending", "invalid", "duplicate", "already_invited", "already_enrolled"],
  completed: ["failed", "invalid"],
  completed_with_errors: ["failed", "invalid"],
};
const WORKING = new Set(["queued", "running", "paused"]);
const tones = JSON.parse(document.getElementById("tones").textContent);
let status = JSON.parse(document.getElementById("status").textContent);
let renewTimer = 0, rowsTimer = 0, rowsAsked = null, spokenAt = 0, renewing = false, renewAgain = false;

/** While a row is being edited the markup around it stays; repair.js asks for the new one when it is done. */
const isEditing = () => Boolean(page().querySelector("[data-editing]"));
const page = () => document.getElementById("batch");
const sum = (states) => states.split(",").reduce((total, state) => total + (status.counts[state] || 0), 0);

/** As the filter `number` of the templates writes it. */
function number(count) {
  return count.toLocaleString("en");
}

function show(frame) {
  if (frame.type === "counts" && frame.revision < status.revision) return;
  const before = status;
  status = { ...status, ...frame };
  for (const time of document.querySelectorAll("[data-as-of] time")) setTime(time, new Date(now()).toISOString());
  showCounts();
  const reading = status.state === "uploaded" && before.total !== status.total;
  if (before.state !== status.state || before.reason !== status.reason || reading) renew();
  else if (troubleOf(before) !== troubleOf(status)) renewSoon();
  else if (JSON.stringify(before.counts) !== JSON.stringify(status.counts)) {
    refreshRowsSoon();
    speak(`${number(sum(statesOfSettled()))} done.`);
  }
}

function troubleOf({ counts }) {
  return (counts.failed || 0) + (counts.unknown || 0);
}

/** New errors: the server's page lists the last of them. */
function renewSoon() {
  renewTimer ||= setTimeout(() => { renewTimer = 0; renew(); }, ERRORS_PAUSE);
}

function statesOfSettled() {
  return page().querySelector(".ch-run__count [data-sum]")?.dataset.sum ?? "invited";
}

function showCounts() {
  for (const element of page().querySelectorAll("[data-sum]")) {
    const count = sum(element.dataset.sum);
    element.textContent = number(count);
    const box = element.closest("[data-unless-zero]");
    if (box) box.hidden = count === 0;
  }
  for (const part of page().querySelectorAll("[data-share]")) part.style.flexGrow = status.counts[part.dataset.share] || 0;
  const bar = page().querySelector(".ch-bar"), head = page().querySelector(".ch-run__count");
  if (bar && head) bar.setAttribute("aria-label", head.textContent.trim());
  const rate = page().querySelector("[data-rate]");
  if (rate) rate.textContent = number(Math.round(status.rate_per_minute || 0));
  showFinish(page().querySelector("[data-finish]"));
}

function showFinish(element) {
  if (!element || status.state === "paused") return;
  const time = element.querySelector("time");
  if (!status.finish_at) element.textContent = "not known yet";
  else if (time) setTime(time, status.finish_at);
  else element.replaceChildren(timeElement(status.finish_at, "until"));
}

function speak(text, always = false) {
  if (!always && Date.now() - spokenAt < SPOKEN_PAUSE) return;
  spokenAt = Date.now();
  document.getElementById("batch-spoken").textContent = text;
}

/** Fetches this very page and takes over its #batch; keeps the focus where it was, if that is still there. */
async function renew() {
  if (renewing) return void (renewAgain = true);
  if (isEditing()) return renewSoon();
  renewing = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("batch");
    if (isEditing()) return renewSoon();
    if (!answer.ok || !fresh) return location.reload();
    if (page().querySelector("dialog[open]")) return renewSoon(); // somebody is being asked
    const focused = document.activeElement?.id, typed = document.getElementById("rows-q")?.value;
    page().replaceWith(document.importNode(fresh, true));
    if (focused === "rows-q") document.getElementById(focused).value = typed;
    const told = JSON.parse(document.getElementById("status").textContent);
    if (told.revision >= status.revision) status = told;
    say();
    showCounts();
    if (focused) document.getElementById(focused)?.focus();
    speak(page().querySelector(".ch-head__line .ch-badge").textContent, true);
  } catch {
    setTimeout(renew, 2000); // the server is away: the socket is, too, and says so
  } finally {
    renewing = false;
    if (renewAgain) {
      renewAgain = false;
      renew();
    }
  }
}

function refreshRowsSoon() {
  // A search reads every row of the batch.
  const isSearch = new URLSearchParams(page().dataset.rows).has("q");
  rowsTimer ||= setTimeout(refreshRows, isSearch ? SEARCH_PAUSE : ROWS_PAUSE);
}

async function refreshRows() {
  rowsTimer = 0;
  if (isEditing()) return refreshRowsSoon();
  rowsAsked?.abort();
  rowsAsked = new AbortController();
  const address = new URL("rows.json", new URL(location.pathname, location.origin));
  address.search = page().dataset.rows;
  try {
    const answer = await fetch(address, { signal: rowsAsked.signal });
    if (answer.ok) showRows(await answer.json());
  } catch {
    if (WORKING.has(status.state)) refreshRowsSoon();
  }
}

function showRows({ rows }) {
  const template = document.getElementById("row-template");
  document.querySelector("#rows-table tbody").replaceChildren(...rows.map((row) => rowElement(template, row)));
  document.getElementById("rows-none").hidden = rows.length > 0;
}

function rowElement(template, row) {
  const element = template.content.firstElementChild.cloneNode(true);
  const cell = (name) => element.querySelector(`[data-cell="${name}"]`);
  cell("line").textContent = row.line;
  cell("email").textContent = row.email;
  cell("name").textContent = `${row.first_name} ${row.last_name}`.trim();
  cell("made").hidden = !row.name_made;
  cell("course").textContent = row.course;
  cell("access").textContent = row.access;
  cell("reason").textContent = row.reason;
  cell("decide").hidden = row.state !== "unknown" || !MAY_DECIDE.has(status.state);
  cell("decide").href = `rows/${row.line}/`;
  cell("repair").hidden = page().dataset.forgotten === "yes" || !MAY_REPAIR[status.state]?.includes(row.state);
  cell("repair").id = `edit-row-${row.line}`;
  cell("repair").href = `rows/${row.line}/repair/`;
  cell("repair").querySelector("span").textContent = ` line ${row.line}`;
  const badge = cell("state").firstElementChild;
  badge.dataset.state = row.state;
  badge.dataset.tone = tones[row.state] || "idle";
  badge.textContent = row.state_label;
  if (row.invited_at) cell("invited_at").append(invited(row));
  return element;
}

function invited(row) {
  const box = document.createElement("span");
  box.append(timeElement(row.invited_at));
  if (row.member_id) {
    const member = document.createElement("span");
    member.className = "ch-second-line";
    member.textContent = `member ${row.member_id}`;
    box.append(member);
  }
  return box;
}

document.addEventListener("coursehub:renew", (event) => { event.detail.renewed = renew(); });
connect(`/ws/invitations/${page().dataset.batch}/`, show);
