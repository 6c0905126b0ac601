// The page of one course: each learner's bar moves as the socket tells. Rows come from the server's markup.

import { setTime, timeElement } from "coursehub/age";
import { connect } from "coursehub/socket";

const FLASH = 2400, SPOKEN_PAUSE = 5000, LONGEST_SLIDE_ROWS = 200;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const body = document.querySelector("#members tbody");
const template = document.getElementById("member-template").content.firstElementChild;
const search = document.getElementById("search");
const status = JSON.parse(document.getElementById("status").textContent);
const members = new Map(status.members.map((member) => [member.id, member]));
const rows = new Map([...body.rows].map((row) => [row.dataset.member, row]));
const order = { key: "", down: false };
let spokenAt = 0;

const nameOf = (member) => member.name || member.email;
const cell = (row, name) => row.querySelector(`[data-cell="${name}"]`);

function show(frame) {
  if (frame.type === "snapshot") return showAll(frame);
  showHead(frame);
  if (frame.revision <= status.revision) return;
  status.revision = frame.revision;
  frame.members.filter((member) => member.gone).forEach((member) => remove(member.id));
  const moved = frame.members.filter((member) => !member.gone && put(member));
  moved.forEach((member) => flash(rows.get(member.id)));
  arrange();
  if (moved.length) speak(moved);
}

function showAll(frame) {
  const known = new Set(frame.members.map((member) => member.id));
  [...members.keys()].filter((id) => !known.has(id)).forEach(remove);
  const moved = frame.members.filter((member) => put(member));
  if (frame.revision !== status.revision && moved.length < frame.members.length) {
    moved.forEach((member) => flash(rows.get(member.id)));
  }
  status.revision = frame.revision;
  showHead(frame);
  arrange();
}

function remove(id) {
  members.delete(id);
  rows.get(id)?.remove();
  rows.delete(id);
}

/** Stores the member and fills its row; true when there was something new to see. */
function put(member) {
  const before = members.get(member.id);
  members.set(member.id, member);
  if (before && rows.has(member.id) && JSON.stringify(before) === JSON.stringify(member)) return false;
  if (!rows.has(member.id)) rows.set(member.id, body.appendChild(template.cloneNode(true)));
  fill(rows.get(member.id), member);
  return true;
}

function fill(row, member) {
  row.dataset.member = member.id;
  cell(row, "name").textContent = nameOf(member);
  cell(row, "email").textContent = member.name ? member.email : "";
  const bar = row.querySelector("progress");
  bar.value = member.percent;
  bar.toggleAttribute("data-full", member.percent >= 100);
  bar.setAttribute("aria-label", `Progress of ${nameOf(member)}`);
  cell(row, "percent").textContent = `${Math.floor(member.percent)} %`;
  fillTime(cell(row, "last_seen"), member.last_seen, "never");
  fillTime(cell(row, "at"), member.at, "");
}

function fillTime(element, iso, otherwise) {
  const time = element.querySelector("time");
  if (iso && time) setTime(time, iso);
  else if (iso) element.replaceChildren(timeElement(iso));
  else element.textContent = otherwise;
}

/** How old the figures are, and why they grow old, if they do. */
function showHead({ as_of: iso, trouble }) {
  if (iso) fillTime(document.querySelector("[data-as-of]"), iso);
  if (trouble === undefined) return;
  document.getElementById("trouble").hidden = !trouble;
  document.getElementById("trouble-reason").textContent = trouble;
}

function flash(row) {
  clearTimeout(Number(row.dataset.flash));
  row.classList.add("is-changed");
  row.dataset.flash = setTimeout(() => row.classList.remove("is-changed"), FLASH);
}

/** Order, search, figures: everything that follows from the members. */
function arrange() {
  sortRows();
  filterRows();
  const percents = [...members.values()].map((member) => member.percent || 0);
  const figures = {
    learners: percents.length,
    average: percents.length ? Math.floor(percents.reduce((total, one) => total + one, 0) / percents.length) : 0,
    notBegun: percents.filter((one) => one <= 0).length,
    completed: percents.filter((one) => one >= 100).length,
  };
  for (const [name, value] of Object.entries(figures)) {
    document.querySelector(`[data-summary="${name}"]`).textContent = String(value);
  }
  document.getElementById("no-members").hidden = members.size > 0;
  document.getElementById("members-box").hidden = members.size === 0;
}

function compare(one, other) {
  if (order.key === "name") return nameOf(one).localeCompare(nameOf(other));
  if (order.key === "percent") return one.percent - other.percent;
  return (Date.parse(one[order.key]) || 0) - (Date.parse(other[order.key]) || 0);
}

function sortRows() {
  if (!order.key) return;
  const sign = order.down ? -1 : 1;
  const sorted = [...members.values()].sort((one, other) => sign * compare(one, other)).map((member) => rows.get(member.id));
  if (sorted.every((row, index) => body.rows[index] === row)) return;
  const tops = calm.matches || sorted.length > LONGEST_SLIDE_ROWS ? null : new Map(sorted.map((row) => [row, row.offsetTop]));
  body.append(...sorted);
  if (tops) sorted.forEach((row) => slide(row, tops.get(row) - row.offsetTop));
}

function slide(row, pixels) {
  if (pixels) row.animate([{ transform: `translateY(${pixels}px)` }, { transform: "none" }], { duration: 260, easing: "ease-out" });
}

function filterRows() {
  const wanted = search.value.trim().toLowerCase();
  let shown = 0;
  for (const [id, member] of members) {
    const matches = `${member.name} ${member.email}`.toLowerCase().includes(wanted);
    rows.get(id).hidden = !matches;
    shown += matches;
  }
  document.getElementById("shown").textContent = wanted ? `${shown} of ${members.size}` : "";
  document.getElementById("none-found").hidden = shown > 0 || members.size === 0;
}

function speak(moved) {
  if (Date.now() - spokenAt < SPOKEN_PAUSE) return;
  spokenAt = Date.now();
  const [first] = moved;
  document.getElementById("progress-spoken").textContent =
    moved.length === 1 ? `${nameOf(first)}: ${Math.floor(first.percent)} %` : `${moved.length} learners moved on`;
}

for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const key = button.dataset.sort;
    order.down = order.key === key ? !order.down : key !== "name";
    order.key = key;
    for (const heading of document.querySelectorAll("#members th")) heading.setAttribute("aria-sort", "none");
    button.closest("th").setAttribute("aria-sort", order.down ? "descending" : "ascending");
    arrange();
  });
}
search.addEventListener("input", filterRows);
document.getElementById("clear-search").addEventListener("click", () => {
  search.value = "";
  filterRows();
  search.focus();
});

filterRows();
connect(`/ws/progress/${encodeURIComponent(status.course)}/`, show);
