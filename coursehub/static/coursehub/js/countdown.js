// Zoho takes one consent every 15 s: buttons of forms with data-countdown="seconds" open when that time is over.
// Without this script the server says how long to wait.

const opensAt = new Map();

for (const form of document.querySelectorAll("form[data-countdown]")) {
  const seconds = Number(form.dataset.countdown) || 0;
  if (seconds > 0) opensAt.set(form, performance.now() + seconds * 1000);
}

function show() {
  for (const [form, at] of opensAt) {
    const left = Math.ceil((at - performance.now()) / 1000);
    form.querySelector("button").disabled = left > 0;
    form.querySelector("[data-countdown-left]").textContent = left > 0 ? ` in ${left} s` : "";
    if (left <= 0) opensAt.delete(form);
  }
  if (opensAt.size) setTimeout(show, 200);
}

show();
