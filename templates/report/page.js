"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll("tbody.p")];
  const only = [...document.querySelectorAll("button.only")];
  const filter = one("filter");
  one("tools").hidden = false;
  one("keys").hidden = false;
  one("counts").hidden = true; // the buttons say them
  one("tools").addEventListener("submit", (event) => event.preventDefault());

  const shown = () => rows.filter((row) => !row.hidden);
  const panel = (row) => row.querySelector("details.panel");

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const marks = only.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.only);
    for (const row of rows) {
      const named = words.every((word) => row.dataset.find.includes(word));
      row.hidden = !(named && (!marks.length || marks.includes(row.dataset.mark)));
    }
    const all = !words.length && !marks.length;
    one("found").value = all ? "" : `${shown().length} of ${rows.length} shown`;
  }
  function widen() {
    filter.value = "";
    for (const button of only) button.ariaPressed = "false";
    narrow();
  }
  filter.addEventListener("input", narrow);
  for (const button of only) {
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      narrow();
    });
  }

  function failures() {
    for (const row of shown()) if (row.dataset.mark === "fail") panel(row).open = true;
  }
  one("failures").addEventListener("click", failures);
  one("close").addEventListener("click", () => {
    for (const row of rows) panel(row).open = false;
  });

  // What a link leads to may stand in something closed, or in a row that the filter hides.
  function open(hash) {
    let name = hash.slice(1);
    try { name = decodeURIComponent(name); } catch { return; }
    let place = name && one(name);
    if (!place) return;
    const target = place;
    if (target.matches("tbody.p")) panel(target).open = true;
    for (; place; place = place.parentElement) {
      if (place.tagName === "DETAILS") place.open = true;
      if (place.hidden && place.matches("tbody.p")) widen();
    }
    const head = target.matches(".told") ? target.previousElementSibling : null;
    if (head) {
      head.scrollIntoView({ block: "start" });
      head.focus({ preventScroll: true });
    }
  }
  window.addEventListener("hashchange", () => open(location.hash));
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) open(link.hash);
  });
  open(location.hash);

  function step(by, wanted) {
    const among = wanted ? shown().filter((row) => row.dataset.mark === wanted) : shown();
    if (!among.length) return;
    const here = document.activeElement.closest("tbody.p");
    let at = among.indexOf(here);
    if (at < 0 && here && wanted) {
      at = among.findIndex((row) => rows.indexOf(row) > rows.indexOf(here)) - 1;
      if (at === -2) at = -1;
    }
    const next = at < 0 && by < 0 ? among.length - 1 : at + by;
    const row = among[Math.min(Math.max(next, 0), among.length - 1)];
    panel(row).firstElementChild.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    n: () => step(1, "fail"),
    f: failures,
    o: () => {
      const here = document.activeElement.closest("tbody.p");
      if (here) panel(here).open = !panel(here).open;
    },
    "/": () => filter.focus(),
    "?": () => { one("keys").open = true; one("keys").scrollIntoView({ block: "nearest" }); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      widen();
      filter.blur();
      return;
    }
    const writes = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (writes || event.ctrlKey || event.altKey || event.metaKey || !one("single").checked) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
