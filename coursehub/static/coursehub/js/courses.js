// The list of courses follows its socket: the figures of a course move as soon as it was read. A course that is new
// to this list, or no longer in it, needs the server's markup.

import { setTime, timeElement } from "coursehub/age";
import { connect } from "coursehub/socket";

const RENEW_PAUSE = 1000;
let timer = 0;

function show(frame) {
  for (const course of frame.courses) showCourse(course);
  if (frame.type === "snapshot" && frame.courses.length !== document.querySelectorAll("[data-course]").length) renewSoon();
}

function showCourse(course) {
  const row = document.querySelector(`tr[data-course="${CSS.escape(course.id)}"]`);
  if (!row) return renewSoon();
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  for (const name of ["name", "learners", "completed", "at_risk"]) cell(name).textContent = String(course[name]);
  const percent = course.average_percent || 0, bar = cell("average").querySelector("progress");
  cell("average").hidden = course.learners === 0;
  cell("nobody").hidden = course.learners > 0;
  bar.value = percent;
  bar.toggleAttribute("data-full", percent >= 100);
  cell("average").querySelector(".ch-measure__number").textContent = `${Math.floor(percent)} %`;
  if (!course.as_of) return;
  const time = cell("as_of").querySelector("time");
  if (time) setTime(time, course.as_of);
  else cell("as_of").replaceChildren(timeElement(course.as_of));
}

function renewSoon() {
  timer ||= setTimeout(renew, RENEW_PAUSE);
}

async function renew() {
  timer = 0;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, fresh] = [document, page].map((one) => one.querySelector("#courses, .ch-empty"));
    if (old && fresh) old.replaceWith(document.importNode(fresh, true));
  } catch {
    renewSoon(); // the server is away for a moment
  }
}

connect("/ws/progress/", show);
