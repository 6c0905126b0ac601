// The table of a course's learners: which are shown, in which order, and which page of them. The address says so, in
// the words that progress/course_table.py reads, so that a reload, a link and the export show the same. Only the rows of one
// page are in the document, however many learners there are.

import { setTime, timeElement } from "coursehub/age";

const PAGE_ROWS = 100, FLASH = 2400;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const byId = (id) => document.getElementById(id);
const orders = {
  name: (member) => member.key,
  percent: (member) => member.percent,
  flags: (member, flags) => (flags[member.id] || []).length,
  last_seen: (member) => member.last_seen || "",
  at: (member) => member.at || "",
};
const shows = {
  all: () => true,
  not_begun: (member) => member.percent <= 0,
  under_way: (member) => member.percent > 0 && member.percent < 100,
  completed: (member) => member.percent >= 100,
  at_risk: (member, flags) => member.id in flags,
  revoked: () => true, // of those without access, who are not among the others
};

export const nameOf = (member) => member.name || member.email;
const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

/**
 * `show(members, flags, changed, revoked)` shows them; `revoked` are those without access, shown when asked for
 * (`showsRevoked()`). `onchange` is called when the reader chose something else.
 */
export function createTable() {
  const body = document.querySelector("#members tbody");
  const template = byId("member-template").content.firstElementChild;
  const rows = new Map([...body.rows].map((row) => [row.dataset.member, row])); // those of this page
  const choice = readAddress();
  const table = { show, showsRevoked: () => choice.show === "revoked", onchange: () => {} };

  function show(learners, flags, changed, revoked) {
    const members = table.showsRevoked() ? revoked : learners;
    const found = chosen(members, flags);
    const last = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
    choice.page = Math.min(choice.page, last);
    const page = found.slice((choice.page - 1) * PAGE_ROWS, choice.page * PAGE_ROWS);
    place(page, flags, changed);
    showAround(found.length, members.length, page.length, last);
    byId("none-found").hidden = found.length > 0 || (!learners.length && !table.showsRevoked());
  }

  function chosen(members, flags) {
    const wanted = choice.q.trim().toLowerCase(), isShown = shows[choice.show], order = orders[choice.sort];
    const sign = choice.down ? -1 : 1;
    return members
      .filter((member) => isShown(member, flags) && `${member.name} ${member.email}`.toLowerCase().includes(wanted))
      .sort((one, other) => sign * compare(order(one, flags), order(other, flags))
        || compare(one.key, other.key) || compare(one.id, other.id));
  }

  function place(page, flags, changed) {
    const wanted = new Set(page.map((member) => member.id));
    for (const [id, row] of rows) {
      if (wanted.has(id)) continue;
      row.remove();
      rows.delete(id);
    }
    const known = new Set(rows.keys());
    const tops = calm.matches ? null : new Map(page.filter(({ id }) => known.has(id)).map(({ id }) => [id, rows.get(id).offsetTop]));
    const inOrder = page.map((member) => fill(rowOf(member), member, flags[member.id] || []));
    if (inOrder.some((row, place) => body.rows[place] !== row)) {
      body.append(...inOrder);
      if (tops) for (const [id, top] of tops) slide(rows.get(id), top - rows.get(id).offsetTop);
    }
    for (const id of changed) if (rows.has(id)) flash(rows.get(id));
  }

  function rowOf(member) {
    if (!rows.has(member.id)) rows.set(member.id, template.cloneNode(true));
    return rows.get(member.id);
  }

  function showAround(found, all, shown, last) {
    const first = shown ? (choice.page - 1) * PAGE_ROWS + 1 : 0;
    byId("members-box").hidden = found === 0;
    byId("shown").textContent = found < all ? `${found} of ${all}` : "";
    byId("pages").hidden = last === 1;
    byId("pages-text").textContent = `${first} to ${first + shown - 1} of ${found} learners`;
    for (const link of document.querySelectorAll("[data-page]")) {
      const page = choice.page + Number(link.dataset.page);
      link.hidden = page < 1 || page > last;
      link.href = `?${address({ ...choice, page })}`;
    }
    for (const link of document.querySelectorAll("[data-sort]")) {
      const isIt = link.dataset.sort === choice.sort;
      link.closest("th").setAttribute("aria-sort", isIt ? (choice.down ? "descending" : "ascending") : "none");
    }
  }

  function choose(changes) {
    Object.assign(choice, { page: 1 }, changes);
    const query = address(choice);
    history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
    byId("export").search = query;
    for (const link of document.querySelectorAll("#exports [data-separator]")) {
      link.search = new URLSearchParams([...new URLSearchParams(query), ["separator", link.dataset.separator]]);
    }
    table.onchange();
  }

  byId("search").addEventListener("input", () => choose({ q: byId("search").value }));
  byId("show").addEventListener("change", () => choose({ show: byId("show").value }));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear-search").addEventListener("click", (event) => {
    event.preventDefault();
    [byId("search").value, byId("show").value] = ["", "all"];
    choose({ q: "", show: "all" });
    byId("search").focus();
  });
  byId("members").addEventListener("click", (event) => {
    const key = event.target.closest("[data-sort]")?.dataset.sort;
    if (!key) return;
    event.preventDefault();
    choose({ sort: key, down: choice.sort === key ? !choice.down : key !== "name" });
  });
  byId("pages").addEventListener("click", (event) => {
    const step = Number(event.target.closest("[data-page]")?.dataset.page || 0);
    if (!step) return;
    event.preventDefault();
    choose({ page: choice.page + step });
    byId("learners-title").scrollIntoView({ block: "start" });
  });
  return table;
}

function readAddress() {
  const said = new URLSearchParams(location.search);
  const sort = (said.get("sort") || "").replace(/^-/, ""), page = said.get("page") || "";
  return {
    q: byId("search").value,
    show: said.get("show") in shows ? said.get("show") : "all",
    sort: sort in orders ? sort : "name",
    down: sort in orders && said.get("sort").startsWith("-"),
    page: /^[0-9]{1,6}$/.test(page) ? Math.max(1, Number(page)) : 1,
  };
}

function address({ q, show, sort, down, page }) {
  const said = new URLSearchParams();
  if (q.trim()) said.set("q", q.trim());
  if (show !== "all") said.set("show", show);
  if (sort !== "name" || down) said.set("sort", down ? `-${sort}` : sort);
  if (page > 1) said.set("page", String(page));
  return said.toString();
}

function fill(row, member, flags) {
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  row.dataset.member = member.id;
  setText(cell("name"), nameOf(member));
  cell("name").href = `learners/${encodeURIComponent(member.id)}/`;
  setText(cell("email"), member.name ? member.email : "");
  const bar = row.querySelector("progress");
  bar.value = member.percent;
  bar.toggleAttribute("data-full", member.percent >= 100);
  bar.setAttribute("aria-label", `Progress of ${nameOf(member)}`);
  setText(cell("percent"), `${Math.floor(member.percent)} %`);
  fillTime(cell("last_seen"), member.last_seen, "never");
  fillTime(cell("at"), member.at, "");
  fillFlags(cell("flags"), flags);
  return row;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fillTime(element, iso, otherwise) {
  const time = element.querySelector("time");
  if (!iso) setText(element, otherwise);
  else if (!time) element.replaceChildren(timeElement(iso));
  else if (Date.parse(time.dateTime) !== Date.parse(iso)) setTime(time, iso);
}

/** Each flag: its rule on the badge, its data and what clears it behind a click. An open one stays open. */
function fillFlags(element, flags) {
  const text = JSON.stringify(flags);
  if (element.dataset.flags === text) return;
  element.dataset.flags = text;
  const wasOpen = element.querySelector("details")?.open;
  element.replaceChildren();
  if (!flags.length) return;
  const details = document.createElement("details"), badge = document.createElement("span"), list = document.createElement("ul");
  details.className = "ch-risk";
  badge.className = "ch-badge";
  badge.dataset.tone = "warn";
  badge.textContent = flags.map((flag) => flag.rule).join(", ");
  for (const flag of flags) {
    const item = list.appendChild(document.createElement("li")), clears = document.createElement("span");
    clears.className = "ch-subtle";
    clears.textContent = flag.clears;
    item.append(`${flag.because} `, clears);
  }
  const summary = document.createElement("summary");
  summary.append(badge);
  details.append(summary, list);
  details.open = Boolean(wasOpen);
  element.append(details);
}

function slide(row, pixels) {
  if (pixels) row.animate([{ transform: `translateY(${pixels}px)` }, { transform: "none" }], { duration: 260, easing: "ease-out" });
}

function flash(row) {
  clearTimeout(Number(row.dataset.flash));
  row.classList.add("is-changed");
  row.dataset.flash = setTimeout(() => row.classList.remove("is-changed"), FLASH);
}
