// The upload form: drop a file or paste a list, hear at once when it is too large, see how far a long upload is.

const form = document.getElementById("upload-form");
const LONG_UPLOAD_BYTES = 1024 * 1024;

if (form) {
  const input = form.querySelector("input[type=file]");
  const away = document.getElementById("file-away");
  const pasted = form.querySelector("textarea[name=text]");
  const drop = document.getElementById("drop");
  const text = drop.querySelector("[data-drop-text]");
  const note = drop.querySelector("[data-drop-note]");
  const emptyText = text.textContent, emptyNote = note.textContent;
  drop.classList.add("is-ready");
  input.hasChangeListener = true; // unfold's script would look for its own kind of file field around this one

  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    const one = new DataTransfer(); // a drop of several files: the first one counts
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    chosen();
  });
  input.addEventListener("change", chosen);
  addEventListener("pageshow", chosen);
  away.addEventListener("click", () => {
    input.value = "";
    chosen();
    complain("");
    pasted.focus();
  });
  pasted.addEventListener("input", () => {
    counted();
    complain(pasted.value ? inTheWay() : "");
  });
  addEventListener("pageshow", counted); // what the server says of the list stays

  /** How many addresses stand in what was pasted: the preview says what becomes of each. */
  function counted() {
    const count = pasted.value.split("@").length - 1;
    document.getElementById("paste-count").textContent = count ? `${count.toLocaleString("en")} with an @.` : "";
  }

  function inTheWay() {
    if (new Blob([pasted.value]).size > Number(form.dataset.maxTextBytes)) {
      return `The list is larger than ${form.dataset.maxTextSize}: upload it as a file instead.`;
    }
    const both = pasted.value.trim() && input.files.length;
    return both ? "You chose a file and pasted a list too: take one of them away." : "";
  }

  function chosen() {
    const [file] = input.files;
    drop.classList.toggle("is-chosen", Boolean(file));
    away.hidden = !file;
    text.textContent = file ? file.name : emptyText;
    note.textContent = file ? `${size(file.size)} · click to choose another file` : emptyNote;
    if (file) complain(tooLarge(file) || inTheWay());
  }

  function tooLarge(file) {
    if (file.size <= Number(form.dataset.maxBytes)) return "";
    return `The file is larger than ${form.dataset.maxSize}: split it, and upload the parts.`;
  }

  form.addEventListener("submit", (event) => {
    const [file] = input.files;
    const sentence = (file && tooLarge(file)) || inTheWay();
    if (sentence) {
      event.preventDefault();
      complain(sentence);
    } else if (file && file.size > LONG_UPLOAD_BYTES) {
      event.preventDefault();
      sendWithProgress();
    } else if (file) {
      progress("Reading the file…");
    }
  });

  function sendWithProgress() {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => {
      if (!event.lengthComputable) return;
      const done = event.loaded >= event.total;
      const percent = Math.floor((100 * event.loaded) / event.total);
      progress(done ? "Reading and checking the rows…" : `Uploading: ${percent} %`, done ? null : percent);
    };
    request.onload = () => arrived(request);
    request.onerror = () => failed("The upload was cut off: check the connection, and upload the file again.");
    request.open("POST", form.action);
    request.send(new FormData(form));
    progress("Uploading: 0 %", 0);
  }

  /** The answer is either the preview's page (after a redirect) or this form again, with its sentence. */
  function arrived(request) {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const refusal = page.querySelector("#upload-error:not([hidden]) .ch-note__text");
    if (refusal) return failed(refusal.textContent.trim());
    if (request.status >= 400) return failed("The server could not take the file: try again in a minute, and tell an administrator if it stays so.");
    location.assign(request.responseURL);
  }

  function failed(sentence) {
    document.getElementById("upload-progress").hidden = true;
    document.getElementById("upload-button").disabled = false;
    complain(sentence);
  }

  function progress(sentence, percent = null) {
    const box = document.getElementById("upload-progress");
    const bar = box.querySelector("progress");
    box.hidden = false;
    box.querySelector("p").textContent = sentence;
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent;
    if (percent !== null) document.getElementById("upload-button").disabled = true;
    complain("");
  }

  function complain(sentence) {
    const box = document.getElementById("upload-error");
    const text = box.querySelector(".ch-note__text");
    box.hidden = !sentence;
    if (sentence) text.setAttribute("role", "alert");
    else text.removeAttribute("role");
    text.textContent = sentence;
  }
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
