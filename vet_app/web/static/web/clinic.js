// Comfort only: every page works without it.
"use strict";

// A letter from data-shortcut jumps to its field; Escape leaves the search.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && event.target.id === "find") {
    event.target.value = "";
    document.getElementById("found").replaceChildren();
    event.target.blur();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("a")) target.click();
  else target.focus();
});

// The arrow keys walk through the results of the search.
document.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || !event.target.closest(".find")) return;
  const stops = [document.getElementById("find"), ...document.querySelectorAll("#found a")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
});

// After a refusal the keyboard is at the first field to mend.
document.querySelector("main [aria-invalid='true']")?.focus();

// A number is typed anew: what the field holds is selected, so that 2 in a field that holds 1 is 2 and not 21.
document.addEventListener("focusin", (event) => {
  if (!event.target.matches("input[type=number]")) return;
  const field = event.target;
  field.select();
  field.addEventListener("mouseup", (released) => released.preventDefault(), { once: true }); // keeps it selected
});
// Neither the wheel nor an arrow key changes it: nobody sees a quantity that has moved by one.
document.addEventListener("wheel", (event) => {
  if (event.target.matches("input[type=number]") && event.target === document.activeElement) event.target.blur();
}, { passive: true });
document.addEventListener("keydown", (event) => {
  if (["ArrowUp", "ArrowDown"].includes(event.key) && event.target.matches("input[type=number]")) event.preventDefault();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A time that is free goes into its field.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fill]");
  const field = link && document.getElementById(link.dataset.fill);
  if (!field) return;
  event.preventDefault();
  field.value = link.textContent.trim();
  field.focus();
});

// Choices that take effect when made, such as the day of the calendar.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
