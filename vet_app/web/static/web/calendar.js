// The free times of the calendar are one stop of the Tab key for each vet; arrow keys go on from there. Without this
// script each of them is a stop of its own, and everything can be reached all the same.
(() => {
  "use strict";
  const table = document.querySelector("table.day");
  if (!table) return;

  // A cell that spans several rows is missing from the rows below, so columns are told by the vet in the address.
  const vetOf = (link) => new URL(link.href).searchParams.get("vet");
  const columns = new Map();
  for (const link of table.querySelectorAll("a.free")) {
    if (!columns.has(vetOf(link))) columns.set(vetOf(link), []);
    columns.get(vetOf(link)).push(link);
  }
  const heightOf = (link) => link.getBoundingClientRect().top;
  const nearest = (links, to) => links.reduce((best, link) =>
    Math.abs(heightOf(link) - heightOf(to)) < Math.abs(heightOf(best) - heightOf(to)) ? link : best);
  const stopAt = (links, link) => links.forEach((each) => { each.tabIndex = each === link ? 0 : -1; });
  for (const links of columns.values()) stopAt(links, links.find((link) => !link.closest(".closed")) || links[0]);

  const sought = (key, link) => {
    const all = [...columns.values()];
    const links = columns.get(vetOf(link));
    const column = all.indexOf(links);
    const row = links.indexOf(link);
    if (key === "ArrowDown") return links[row + 1];
    if (key === "ArrowUp") return links[row - 1];
    if (key === "Home") return links[0];
    if (key === "End") return links[links.length - 1];
    const beside = { ArrowRight: all[column + 1], ArrowLeft: all[column - 1] }[key];
    return beside && nearest(beside, link);
  };
  table.addEventListener("keydown", (event) => {
    const link = event.target.closest("a.free");
    if (!link || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const next = sought(event.key, link);
    if (!next) return;
    event.preventDefault();
    stopAt(columns.get(vetOf(next)), next);
    next.focus();
  });
})();
