// Every page works without this file; it only saves clicks.
"use strict";

// A changed day asks at once.
for (const field of document.querySelectorAll(".asked input[type=date]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// A lifeline too wide for the window shows the day asked about.
for (const line of document.querySelectorAll(".lifeline .today")) {
  const frame = line.closest(".table-wrap");
  frame.scrollLeft += line.getBoundingClientRect().left - frame.getBoundingClientRect().left - frame.clientWidth / 2;
}

// A form that records is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// Log completions: the button names how many it records, the chosen ones too.
const recordButton = document.querySelector("[data-record]");
if (recordButton) {
  const count = () => {
    const chosen = document.querySelectorAll("input[data-pick]:checked").length;
    const number = Number(recordButton.dataset.record) + chosen;
    recordButton.textContent = `Record ${number} completion${number === 1 ? "" : "s"}`;
    recordButton.disabled = number === 0;
  };
  for (const field of document.querySelectorAll("input[name^=pick-]")) field.addEventListener("change", count);
  count();
}

// A grid of fields: arrow keys move between them, Enter moves down and from the last row to the button that saves; p and
// a write over what stands there.
for (const grid of document.querySelectorAll("[data-grid]")) {
  const rows = [...grid.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input.mark")]);
  const columnOf = (field) => field.closest("td").cellIndex;
  const move = (field, down, right) => {
    let row = rows.findIndex((fields) => fields.includes(field));
    let next = null;
    if (right) next = rows[row][rows[row].indexOf(field) + right];
    while (down && !next && rows[row + down]) {
      row += down;
      next = rows[row].find((other) => columnOf(other) === columnOf(field));
    }
    if (next) next.focus();
    return Boolean(next);
  };
  const save = grid.querySelector("button.btn-primary");
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [1, 0] };
  grid.addEventListener("focusin", (event) => {
    if (event.target.matches("input.mark")) event.target.select();
  });
  grid.addEventListener("keydown", (event) => {
    if (!event.target.matches("input.mark") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (moves[event.key]) {
      event.preventDefault();
      if (!move(event.target, ...moves[event.key]) && event.key === "Enter" && save) save.focus();
    } else if (grid.matches(".mark-grid") && /^[pa]$/i.test(event.key)) {
      event.preventDefault();
      event.target.value = event.key.toLowerCase();
    }
  });
}

// Import: a file may be dropped anywhere on its form; the field takes it, as if it had been chosen there.
for (const form of document.querySelectorAll("form[data-drop]")) {
  const field = form.querySelector("input[type=file]");
  const hint = document.createElement("p");
  hint.className = "drop-zone";
  hint.textContent = "Drop a file here, or choose one:";
  field.before(hint);
  const mark = (event, isOver) => {
    if (!event.dataTransfer || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("drop-over", isOver);
  };
  form.addEventListener("dragover", (event) => mark(event, true));
  form.addEventListener("dragleave", (event) => mark(event, false));
  form.addEventListener("drop", (event) => {
    mark(event, false);
    if (!event.dataTransfer || !event.dataTransfer.files.length) return;
    field.files = event.dataTransfer.files;
    hint.textContent = `${field.files[0].name} is ready to be sent.`;
  });
}
