// Comfort only: every page works without it.
"use strict";

// A letter from data-shortcut jumps to its field; Escape leaves the search.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && event.target.id === "find") {
    event.target.value = "";
    document.getElementById("search-results").replaceChildren();
    event.target.blur();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("keys") === "off") return;
  const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("a")) target.click();
  else target.focus();
});

// The arrow keys walk through the results of the search.
document.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || !event.target.closest(".find")) return;
  const stops = [document.getElementById("find"), ...document.querySelectorAll("#search-results a")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
});

// After a refusal the keyboard is at the first field to fix.
document.querySelector("main [aria-invalid='true']")?.focus();

// A number is typed again: what the field holds is selected, so that 2 in a field that holds 1 is 2 and not 21.
document.addEventListener("focusin", (event) => {
  if (!event.target.matches("input[type=number], input[inputmode=decimal]")) return;
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
  field.value = link.dataset.value;
  field.focus();
});

// Choices that take effect when made, such as the day of the calendar.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Whether single keys do something in this browser: people who speak to it, or whose hand slips, turn them off.
const keys = document.getElementById("single-keys");
if (keys) {
  keys.closest("section").hidden = false;
  keys.checked = localStorage.getItem("keys") !== "off";
  keys.addEventListener("change", () => localStorage.setItem("keys", keys.checked ? "on" : "off"));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A bill: another line, and what all of them come to. What is left empty beside a product is the price list's.
const lines = document.querySelector("[data-lines]");
if (lines) {
  const add = document.querySelector("[data-add-line]");
  const sum = document.querySelector("[data-sum]");
  const count = document.querySelector("[name=lines-TOTAL_FORMS]");
  const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: lines.dataset.currency });
  const products = new Map([...document.querySelectorAll("#products option")].map((each) => [each.value.toLowerCase(), each.dataset]));
  // As the clinic reads it (ungrouped in web/forms/base.py): the language's sign between thousands is left out.
  const parts = new Intl.NumberFormat(document.documentElement.lang).formatToParts(1234567.8);
  const [group, decimal] = ["group", "decimal"].map((kind) => parts.find((each) => each.type === kind).value);
  const grouped = new RegExp(`^-?\\d{1,3}(?:[\\s${group}]\\d{3})+(?:[${decimal}]\\d*)?$`);
  const number = (typed) => {
    const text = typed.trim();
    const unclear = group === "." && text.split(".").length === 2 && !text.includes(decimal);
    const plain = grouped.test(text) && !unclear ? text.replace(/\s/g, "").replaceAll(group, "") : text.replace(/\s/g, "");
    return Number(plain.replace(",", ".")) || 0;
  };
  const written = (amount) => String(amount).replace(".", (0.5).toLocaleString(document.documentElement.lang).charAt(1));
  const discounted = (amount, typed) =>
    typed.trim().endsWith("%") ? amount * (1 - number(typed.replace("%", "")) / 100) : amount - number(typed);
  const total = () => {
    let whole = 0;
    for (const line of lines.querySelectorAll(".line")) {
      const typed = (name) => line.querySelector(`.${name} input`).value;
      const product = products.get(typed("product").trim().toLowerCase());
      if (!product && !typed("text")) continue;
      const factor = number(line.querySelector(".fee_factor input")?.value || "1");
      const price = typed("unit_price") === "" ? Number(product?.price || 0) * factor : number(typed("unit_price"));
      const tax = typed("tax_rate") === "" ? Number(product?.tax || 0) : number(typed("tax_rate"));
      const net = discounted(price * (typed("quantity") === "" ? 1 : number(typed("quantity"))), typed("discount"));
      whole += "gross" in lines.dataset ? net : net * (1 + tax / 100);
    }
    const bill = document.querySelector("[name=discount]");
    sum.querySelector("output").textContent = money.format(bill?.value ? discounted(whole, bill.value) : whole);
  };
  add.hidden = sum.hidden = false;
  add.addEventListener("click", () => {
    const made = document.getElementById("new-line").innerHTML.replaceAll("__prefix__", count.value);
    lines.insertAdjacentHTML("beforeend", made);
    count.value = Number(count.value) + 1;
    lines.querySelector(".line:last-child .product input").focus();
    add.disabled = Number(count.value) >= 60;
  });
  // Another factor is another price: that of the price list times it.
  lines.addEventListener("input", (event) => {
    const line = event.target.closest(".fee_factor") && event.target.closest(".line");
    const product = line && products.get(line.querySelector(".product input").value.trim().toLowerCase());
    if (product) line.querySelector(".unit_price input").value = written(Number((Number(product.price) * number(event.target.value || "1")).toFixed(4)));
  });
  lines.closest("form").addEventListener("input", total);
  total();
}

// A photograph that is larger than what is kept is made smaller before it is sent.
document.addEventListener("change", async (event) => {
  const field = event.target;
  const largest = Number(field.dataset?.largest);
  const file = field.files?.[0];
  if (!largest || !file || file.size <= largest || !file.type.startsWith("image/")) return;
  const send = field.form.querySelector("button");
  send.disabled = true;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    let smaller = null;
    for (const [edge, quality] of [[3000, 0.85], [2400, 0.8], [1800, 0.75], [1200, 0.7]]) {
      const scale = Math.min(1, edge / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      smaller = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (smaller && smaller.size <= largest) break;
    }
    const bag = new DataTransfer();
    bag.items.add(new File([smaller], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: "image/jpeg" }));
    field.files = bag.files;
  } catch { /* what the browser cannot read goes as it is, and the clinic says what it takes */ }
  send.disabled = false;
});
