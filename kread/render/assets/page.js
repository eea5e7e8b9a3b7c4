// Walks the page of kread: one step at a time, by key, click, tab and search. Nothing moves that the reader did not move.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);
  const texts = JSON.parse(one("#texts").textContent);
  const families = all(".family");
  const panels = all(".panel");
  const tabs = all("[role=tab]");
  const status = one("#status");
  const results = one("#results");
  const search = one("#search");
  root.classList.add("script");
  const map = one(".map");
  const through = one("#steps[data-through]");
  let current = null;

  const stepsOf = (family) => all("article", family);

  // Show a step: its family, its article, and where we are in the trail and on the map.
  function show(id, { record = true } = {}) {
    const article = document.getElementById(id);
    if (!article || article.tagName !== "ARTICLE") return false;
    const family = article.closest(".family");
    const number = families.indexOf(family) + 1;
    current = article;
    choose(family);
    for (const each of all("article")) each.classList.toggle("now", each === article);
    for (const link of all(".trail a")) {
      mark(link, link.hash === "#" + id);
      link.parentElement.classList.toggle("here", link.hash === "#" + id);
    }
    for (const link of all(".map a")) {
      const steps = link.dataset.steps.split(" ");
      const here = steps.find((step) => step.startsWith(`f${number}s`));
      link.setAttribute("href", "#" + (here || steps[0]));
      link.classList.toggle("off", !here);
      mark(link, steps.includes(id));
    }
    for (const arrow of all(".map path")) arrow.classList.toggle("on", arrow.classList.contains("in" + number));
    for (const button of all("[data-go]", family)) button.disabled = !beside(article, Number(button.dataset.go));
    keepInView(map, one(".map a[aria-current]"));
    keepInView(one(".trail", family), one(".trail a[aria-current]", family));
    status.textContent = article.getAttribute("aria-label");
    if (record && location.hash !== "#" + id) history.pushState(null, "", "#" + id);
    return true;
  }

  // Show one panel and its tab.
  function choose(panel) {
    for (const each of panels) each.classList.toggle("now", each === panel);
    for (const tab of tabs) {
      const here = tab.getAttribute("aria-controls") === panel.id;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      if (here) keepInView(tab.parentElement, tab);
    }
  }

  // Show a panel: of a family its first step, else the panel as it stands.
  function open(id, { record = true } = {}) {
    const panel = panels.find((each) => each.id === id);
    if (!panel) return show(id, { record });
    const first = panel.classList.contains("family") && one("article", panel);
    if (first) return show(first.id, { record });
    current = null;
    choose(panel);
    for (const link of all(".map a")) {
      mark(link, false);
      link.classList.remove("off");
    }
    for (const arrow of all(".map path")) arrow.classList.remove("on");
    if (record && location.hash !== "#" + id) history.pushState(null, "", "#" + id);
    return true;
  }

  function mark(link, here) {
    if (here) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }

  // Scroll a box of its own so that an element in it is seen; the page itself stays where it is.
  function keepInView(box, element) {
    if (!box || !element) return;
    const outer = box.getBoundingClientRect();
    const inner = element.getBoundingClientRect();
    const bottom = Math.min(outer.bottom, window.innerHeight);
    if (inner.left < outer.left || inner.right > outer.right) {
      box.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
    }
    if (inner.top < outer.top || inner.bottom > bottom) {
      box.scrollTop += inner.top - outer.top - (bottom - outer.top - inner.height) / 2;
    }
  }

  // The step before or after another: of its family; where the families are parts of one story, of all.
  function beside(article, by) {
    const steps = through ? all("article") : stepsOf(article.closest(".family"));
    return steps[steps.indexOf(article) + by];
  }

  function go(by) {
    if (!current) {
      const first = by > 0 && one("article");
      if (first && one("#overview.now")) show(first.id);
      return;
    }
    const next = beside(current, by);
    if (!next) return;
    show(next.id);
    // Whoever walks from the end of a long step wants to read the next from its beginning.
    const top = next.closest(".columns").getBoundingClientRect().top;
    if (top < 0) window.scrollBy(0, top);
  }

  function fold() {
    const closed = all("article .source details");
    const open = closed.some((each) => !each.open);
    for (const each of closed) each.open = open;
    for (const button of all("[data-fold]")) {
      button.textContent = open ? texts.fold : texts.unfold;
      button.setAttribute("aria-pressed", String(open));
    }
  }

  function showMap() {
    if (!map) return;
    map.hidden = !map.hidden;
    one("#mapped").setAttribute("aria-pressed", String(!map.hidden));
    keepInView(map, one(".map a[aria-current]"));
  }

  function theme() {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  // Search: function names first, then the reader's own notes, then lines of source, each result a link to its step.
  const LIMIT = 60;
  function find() {
    const wanted = search.value.trim().toLowerCase();
    results.replaceChildren();
    results.hidden = !wanted;
    if (!wanted) return;
    const named = [];
    const noted = [];
    const lines = [];
    for (const article of all("article")) {
      const name = article.dataset.name;
      if (name.toLowerCase().includes(wanted)) named.push([article.id, 0, name]);
      const remark = one(".remark", article);
      if (remark && remark.textContent.toLowerCase().includes(wanted)) {
        noted.push([article.id, 0, `${name}: ${around(remark.textContent, wanted)}`]);
      }
      for (const line of all(".line", article)) {
        const text = line.textContent;
        if (text.toLowerCase().includes(wanted)) {
          lines.push([article.id, line.dataset.line, `${name}: ${one("code", line).textContent.trim()}`]);
        }
      }
    }
    const found = [...named, ...noted, ...lines];
    const head = document.createElement("li");
    const pattern = found.length === 1 ? texts.found : texts.found_many;
    head.textContent = found.length ? pattern.replace("{n}", found.length) : texts.search_none;
    results.append(head, ...found.slice(0, LIMIT).map(item));

    function item([id, line, text]) {
      const entry = document.createElement("li");
      const link = document.createElement("a");
      link.href = "#" + id;
      link.dataset.line = line || "";
      const at = text.toLowerCase().indexOf(wanted);
      if (at < 0) link.textContent = text;
      else {
        const hit = document.createElement("mark");
        hit.textContent = text.slice(at, at + wanted.length);
        link.append(text.slice(0, at), hit, text.slice(at + wanted.length));
      }
      entry.append(link);
      return entry;
    }
  }

  // What stands around a word, on one line.
  function around(text, wanted) {
    const flat = text.replace(/\s+/g, " ").trim();
    const begin = Math.max(0, flat.toLowerCase().indexOf(wanted) - 30);
    return (begin ? "… " : "") + flat.slice(begin, begin + 90);
  }

  function openLine(article, number) {
    for (const each of all(".found")) each.classList.remove("found");
    const line = number && one(`.line[data-line="${number}"]`, article);
    if (!line) return;
    const folded = line.closest("details");
    if (folded) folded.open = true;
    line.classList.add("found");
    line.scrollIntoView({ block: "center" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && open((link.getAttribute("href") || "").slice(1))) {
      event.preventDefault();
      if (results.contains(link)) {
        openLine(current, link.dataset.line);
        results.hidden = true;
      }
      return;
    }
    const button = event.target.closest("button");
    if (!button) {
      if (!event.target.closest("header")) results.hidden = true;
      return;
    }
    if (button.dataset.go) go(Number(button.dataset.go));
    else if ("fold" in button.dataset) fold();
    else if (button.id === "theme") theme();
    else if (button.id === "mapped") showMap();
    else if (tabs.includes(button)) open(button.getAttribute("aria-controls"));
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "Escape") {
      results.hidden = true;
      if (typing) typing.blur();
      return;
    }
    if (typing) return;
    const reading = event.target.closest(".source, .map, .drawing");
    const tab = tabs.indexOf(event.target);
    const key = event.key;
    let done = true;
    if (tab >= 0 && (key === "ArrowRight" || key === "ArrowLeft")) {
      const next = (tab + (key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length;
      open(tabs[next].getAttribute("aria-controls"));
      tabs[next].focus();
    } else if (key === "j" || (!reading && (key === "ArrowDown" || key === "ArrowRight"))) go(1);
    else if (key === "k" || (!reading && (key === "ArrowUp" || key === "ArrowLeft"))) go(-1);
    else if (key === "/") search.focus();
    else if (key === "o") fold();
    else if (key === "t") theme();
    else if (key === "m") showMap();
    else if (/^[1-9]$/.test(key) && families[Number(key) - 1]) open("family" + key);
    else if (key === "0" && one("#overview")) open("overview");
    else done = false;
    if (done) event.preventDefault();
  });

  search.addEventListener("input", find);
  search.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = one("a", results);
    if (first) first.click();
  });
  // On paper all steps stand, and what the kernel says of itself and the answers are open.
  const printed = all("details.answer, details.comment");
  let closed = [];
  window.addEventListener("popstate", start);
  window.addEventListener("beforeprint", () => {
    root.classList.remove("script");
    closed = printed.filter((each) => !each.open);
    for (const each of closed) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    root.classList.add("script");
    for (const each of closed) each.open = false;
  });

  function start() {
    if (!open(location.hash.slice(1), { record: false }) && panels.length) open(panels[0].id, { record: false });
  }
  start();
})();
