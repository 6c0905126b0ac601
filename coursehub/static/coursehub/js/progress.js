// The page of one course: what the socket tells is kept here; the table, the figures and the bars follow from it.

import { setTime, timeElement } from "coursehub/age";
import { connect } from "coursehub/socket";
import { createTable, nameOf } from "coursehub/progress-table";

const SPOKEN_PAUSE = 5000, ARRANGE_PAUSE = 100, RISKS_PAUSE = 30_000, RISKS_RETRY = 5000, RISKS_SPREAD = 3000;
const status = JSON.parse(document.getElementById("status").textContent);
const members = new Map();
const table = createTable();
let flags = null; // by member id; null until they were fetched
let revision = -1;
let spokenAt = 0, arrangeTimer = 0, risksTimer = 0, risksAt = -Infinity;
let changed = new Set();
let revoked = null, revokedTimer = 0; // those without access; null until they were asked for

function show(frame) {
  const before = status.as_of;
  showHead(frame);
  if (frame.type === "snapshot") takeAll(frame);
  else if (frame.revision > revision) takeChanges(frame);
  if (frame.as_of !== before) {
    fetchRisksSoon();
    fetchRevokedSoon();
  }
}

function takeAll(frame) {
  const isFirst = revision < 0;
  const known = new Map(members);
  members.clear();
  for (const member of frame.members) put(member, known.get(member.id), isFirst);
  revision = frame.revision;
  arrangeSoon();
}

function takeChanges(frame) {
  revision = frame.revision;
  const moved = [];
  for (const member of frame.members) {
    if (member.gone) forget(member.id);
    else if (put(member, members.get(member.id), false)) moved.push(member);
  }
  arrangeSoon();
  if (moved.length) speak(moved);
}

/** Who is gone may be among those whose access was revoked. */
function forget(id) {
  members.delete(id);
  fetchRevokedSoon();
}

/** True when there was something new to see. */
function put(member, before, isFirst) {
  members.set(member.id, member);
  member.key = nameOf(member).toLowerCase();
  const isNew = !before || ["name", "email", "percent", "last_seen", "at"].some((name) => before[name] !== member[name]);
  if (isNew && !isFirst) changed.add(member.id);
  return isNew;
}

/** How old the figures are, and why they grow old, if they do. */
function showHead({ as_of: iso, trouble, unreadable }) {
  if (iso) {
    status.as_of = iso;
    const box = document.querySelector("[data-as-of]"), time = box.querySelector("time");
    if (time) setTime(time, iso);
    else box.replaceChildren(timeElement(iso));
  }
  if (trouble === undefined) return;
  document.getElementById("unreadable").hidden = !unreadable;
  document.getElementById("unreadable-text").textContent = unreadable || "";
  document.getElementById("trouble").hidden = !trouble;
  document.getElementById("trouble-reason").textContent = trouble;
}

function arrangeSoon() {
  arrangeTimer ||= setTimeout(arrange, ARRANGE_PAUSE);
}

/** Table, figures, bars: everything that follows from the members. The server's rows stay until all is known. */
function arrange() {
  arrangeTimer = 0;
  if (revision < 0 || !flags || (table.showsRevoked() && !revoked)) return;
  const all = [...members.values()];
  table.show(all, flags, changed, revoked);
  changed = new Set();
  showFigures(all);
  showBars(all);
  document.getElementById("charts").hidden = all.length === 0;
  document.getElementById("no-members").hidden = all.length > 0 || table.showsRevoked();
}

function showFigures(all) {
  const total = all.reduce((sum, member) => sum + member.percent, 0);
  const figures = {
    learners: all.length,
    average: all.length ? Math.floor(total / all.length) : 0,
    notBegun: all.filter((member) => member.percent <= 0).length,
    completed: all.filter((member) => member.percent >= 100).length,
    atRisk: all.filter((member) => flags[member.id]).length,
  };
  for (const [name, value] of Object.entries(figures)) {
    document.querySelector(`[data-summary="${name}"]`).textContent = String(value);
  }
}

function showBars(all) {
  const bars = [...document.querySelectorAll("[data-bar]")];
  const counts = bars.map(() => 0);
  for (const member of all) counts[Math.min(10, Math.max(0, Math.floor(member.percent / 10)))] += 1;
  const highest = Math.max(...counts, 1);
  bars.forEach((bar, place) => {
    const height = (100 * counts[place]) / highest;
    bar.querySelector("[data-bar-count]").textContent = String(counts[place]);
    const drawing = bar.querySelector("[data-bar-drawing]");
    drawing.setAttribute("y", String(100 - height));
    drawing.setAttribute("height", String(height));
  });
}

function speak(moved) {
  if (Date.now() - spokenAt < SPOKEN_PAUSE) return;
  spokenAt = Date.now();
  const [first] = moved;
  document.getElementById("progress-spoken").textContent =
    moved.length === 1 ? `${nameOf(first)}: ${Math.floor(first.percent)} %` : `${moved.length} learners moved on`;
}

/** Who is at risk is reckoned by the server from whole reads: asked again after a read, spread, and not often. */
function fetchRisksSoon() {
  const wait = Math.max(Math.random() * RISKS_SPREAD, risksAt + RISKS_PAUSE - performance.now());
  if (flags) risksTimer ||= setTimeout(fetchRisks, wait);
}

async function fetchRisks() {
  risksTimer = 0;
  risksAt = performance.now();
  try {
    const answer = await fetch(new URL("risks.json", new URL(location.pathname, location.origin)));
    if (!answer.ok) throw new Error(answer.statusText);
    flags = (await answer.json()).flags;
    arrangeSoon();
  } catch {
    risksTimer ||= setTimeout(fetchRisks, RISKS_RETRY * (0.5 + Math.random()));
  }
}

function fetchRevokedSoon() {
  if (table.showsRevoked()) revokedTimer ||= setTimeout(fetchRevoked, ARRANGE_PAUSE);
}

async function fetchRevoked() {
  revokedTimer = 0;
  try {
    const answer = await fetch(new URL("revoked.json", new URL(location.pathname, location.origin)));
    if (!answer.ok) throw new Error(answer.statusText);
    revoked = (await answer.json()).members.map((member) => ({ ...member, key: nameOf(member).toLowerCase() }));
    arrangeSoon();
  } catch {
    revokedTimer ||= setTimeout(fetchRevoked, RISKS_RETRY * (0.5 + Math.random()));
  }
}

table.onchange = () => {
  arrange();
  fetchRevokedSoon();
};
fetchRisks();
fetchRevokedSoon();
connect(`/ws/progress/${encodeURIComponent(status.course)}/`, show);
