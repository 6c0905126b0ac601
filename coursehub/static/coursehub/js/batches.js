// The list of batches follows its socket: how many rows are done, and, when a state changes, the server's new table.

import { renewing } from "coursehub/renewing";
import { connect } from "coursehub/socket";

const asked = new Set(); // batches that are on another page of the list: asked for once, not again and again
const renewSoon = renewing("#batches, .ch-empty");

function show(frame) {
  for (const status of frame.batches ?? [frame]) showBatch(status, frame.type === "snapshot");
}

function showBatch(status, isFirst) {
  const row = document.querySelector(`tr[data-batch="${CSS.escape(status.id)}"]`);
  if (!row) {
    if (!isFirst && !asked.has(status.id)) renewSoon();
    asked.add(status.id);
  } else if (row.dataset.state !== status.state) {
    renewSoon();
  } else {
    const { settled, planned } = document.getElementById("batches").dataset;
    const working = ["running", "paused"].includes(status.state);
    row.querySelector("[data-done]").textContent = working ? `${number(sum(status, settled))} of ${number(sum(status, planned))} done` : "";
  }
}

/** As the filter `number` of the templates writes it. */
function number(count) {
  return count.toLocaleString("en");
}

function sum(status, states) {
  return states.split(",").reduce((total, state) => total + (status.counts[state] || 0), 0);
}

connect("/ws/invitations/", show);
