// What is typed is kept in the browser until it is saved, and the screen locks when nobody is there.
"use strict";

{
  const person = document.body.dataset.person;
  const main = document.getElementById("main");
  const KEPT_FOR = 24 * 3600 * 1000;
  const prefix = `draft:${person}:`;
  let leaving = false; // a form was sent, or the screen is about to lock: no question then
  let loggingOut = false;

  const editable = (form) =>
    [...form.elements].filter((field) => field.name && !["hidden", "password", "file", "submit", "button"].includes(field.type) && field.type !== "fieldset");
  const forms = person
    ? [...main.querySelectorAll("form[method=post]")].filter((form) => editable(form).length) // a password is never kept
    : [];
  const keyOf = (form) => `${prefix}${location.pathname}${location.search}|${form.getAttribute("action") || ""}`;
  const valuesOf = (form) =>
    editable(form).map((field) => [field.name, ["checkbox", "radio"].includes(field.type) ? [field.value, field.checked] : field.value]);
  const begun = new Map(forms.map((form) => [form, JSON.stringify(valuesOf(form))]));
  const isTouched = (form) => JSON.stringify(valuesOf(form)) !== begun.get(form);
  const isRefused = (form) => Boolean(form.querySelector("[aria-invalid=true]"));
  const versionOf = (form) => form.elements.version?.value || "";

  const keep = (form) => {
    if (isTouched(form)) localStorage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), version: versionOf(form), values: valuesOf(form) }));
    else localStorage.removeItem(keyOf(form));
  };

  // A bill that was longer gets as many lines again.
  const grow = (form, values) => {
    const add = form.querySelector("[data-add-line]");
    const count = form.elements["lines-TOTAL_FORMS"];
    const last = Math.max(-1, ...values.map(([name]) => Number(/^lines-(\d+)-/.exec(name)?.[1] ?? -1)));
    while (add && !add.disabled && Number(count.value) <= last) add.click();
  };

  const putBack = (form, values) => {
    grow(form, values);
    for (const [name, value] of values) {
      const fields = editable(form).filter((field) => field.name === name);
      for (const field of fields) {
        if (!Array.isArray(value)) field.value = value;
        else if (field.value === value[0]) field.checked = value[1];
      }
    }
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const offer = (form, draft) => {
    const told = document.createElement("div");
    told.className = "message warning";
    told.setAttribute("role", "alert");
    const text = document.createElement("p");
    const at = new Date(draft.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    text.textContent = main.dataset.draft.replace("{at}", at);
    if (draft.version !== versionOf(form)) text.textContent += ` ${main.dataset.changed}`;
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    const button = (words, what) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = words;
      made.addEventListener("click", () => { what(); told.remove(); });
      buttons.append(made);
    };
    button(main.dataset.putBack, () => { putBack(form, draft.values); editable(form)[0].focus(); });
    button(main.dataset.drop, () => localStorage.removeItem(keyOf(form)));
    told.append(text, buttons);
    form.before(told);
  };

  // The page that answers a form says whether it was saved: an error page, the log-in and the locked screen say no.
  const sent = sessionStorage.getItem("draft-sent");
  const status = performance.getEntriesByType("navigation")[0]?.responseStatus || 200;
  if (sent) {
    if (person && status < 400) localStorage.removeItem(sent);
    sessionStorage.removeItem("draft-sent");
  }
  if (person) {
    for (const key of Object.keys(localStorage).filter((each) => each.startsWith("draft:"))) {
      try {
        if (Date.now() - JSON.parse(localStorage.getItem(key)).at > KEPT_FOR) localStorage.removeItem(key);
      } catch { localStorage.removeItem(key); }
    }
  }

  for (const form of forms) {
    const draft = JSON.parse(localStorage.getItem(keyOf(form)) || "null");
    // A page that refuses a form holds what was typed into it.
    if (draft && status < 400 && JSON.stringify(draft.values) !== JSON.stringify(valuesOf(form))) offer(form, draft);
    let timer;
    form.addEventListener("input", () => { loggingOut = false; clearTimeout(timer); timer = setTimeout(keep, 500, form); });
    form.addEventListener("submit", () => {
      leaving = true;
      clearTimeout(timer);
      keep(form);
      sessionStorage.setItem("draft-sent", keyOf(form));
    });
  }
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("beforeunload", (event) => {
    if (leaving || !forms.some((form) => isTouched(form) || isRefused(form))) return;
    if (!loggingOut) forms.forEach(keep);
    event.preventDefault();
    event.returnValue = true; // older browsers ask only then
  });
  // Nothing of a person who logs out stays.
  document.getElementById("logout")?.addEventListener("submit", () => { loggingOut = true; });
  window.addEventListener("pagehide", () => {
    if (!loggingOut) return;
    for (const key of Object.keys(localStorage).filter((each) => each.startsWith(prefix))) localStorage.removeItem(key);
  });

  // Nobody there: the screen locks. Other windows of the same person count as well.
  const lock = document.getElementById("lock");
  const idle = Number(document.body.dataset.idle) * 1000;
  const TELL_EVERY = 60 * 1000;
  if (lock && idle) {
    const token = lock.querySelector("[name=csrfmiddlewaretoken]").value;
    const seen = `seen:${person}`;
    let told = Date.now();
    localStorage.setItem(seen, String(told));
    const ended = () => {
      if (document.getElementById("ended")) return;
      const text = document.createElement("p");
      text.id = "ended";
      text.className = "message warning";
      text.setAttribute("role", "alert");
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = main.dataset.ended;
      link.addEventListener("click", () => { leaving = true; });
      text.append(link);
      main.prepend(text);
    };
    const here = () => {
      const now = Date.now();
      localStorage.setItem(seen, String(now));
      if (now - told < TELL_EVERY) return;
      told = now;
      fetch(lock.dataset.stillHere, { method: "POST", headers: { "X-CSRFToken": token } })
        .then((answer) => { if (answer.redirected || answer.status === 401) ended(); })
        .catch(() => {}); // no network for a moment: the next key tells
    };
    for (const kind of ["keydown", "pointerdown", "wheel"]) document.addEventListener(kind, here, { passive: true });
    setInterval(() => {
      if (Date.now() - Number(localStorage.getItem(seen)) < idle) return;
      forms.forEach((form) => { if (isTouched(form)) keep(form); });
      leaving = true;
      lock.requestSubmit();
    }, 5000);
  }
}
