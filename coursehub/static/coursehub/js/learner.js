// The page of one learner: while a worker fetches a report, the server's part of the page about reports is asked for.

const PAUSE = 1500;
const box = document.getElementById("reports");

const isPending = () => box.querySelector("[data-pending]")?.dataset.pending === "yes";

async function renew() {
  try {
    const answer = await fetch(box.dataset.address, { headers: { Accept: "text/html" } });
    if (!answer.ok) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-pending]");
    if (fresh) box.replaceChildren(document.importNode(fresh, true));
  } catch {
    // the server is away for a moment: asked again
  }
  if (isPending()) setTimeout(renew, PAUSE);
}

if (isPending()) setTimeout(renew, PAUSE);
