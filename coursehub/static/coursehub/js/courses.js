// The list of courses follows its socket: the figures of a course move as soon as it was read. A course that is new
// to this list, or no longer in it, needs the server's markup.

import { setTime, timeElement } from "coursehub/age";
import { renewing } from "coursehub/renewing";
import { connect } from "coursehub/socket";

const renewSoon = renewing("#courses, .ch-empty");

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

connect("/ws/progress/", show);
