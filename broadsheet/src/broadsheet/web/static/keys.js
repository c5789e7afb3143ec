/* Keys for going through papers quickly, and the papers saved in this browser. Pages read the same without it. */
"use strict";
(() => {
  const SAVED = "broadsheet.saved";
  const SILENT = "broadsheet.keys.off";
  const papers = [...document.querySelectorAll("[data-paper]")];
  const search = document.getElementById("q");
  const sheet = document.getElementById("keys");
  const news = document.createElement("p");
  news.className = "unseen";
  news.setAttribute("role", "status");
  document.body.append(news);
  let at = -1;
  let last = null;

  /* A browser may forbid us to store anything; then nothing is saved, and we say so. */
  const read = () => {
    try {
      const found = JSON.parse(localStorage.getItem(SAVED) || "[]");
      return Array.isArray(found) ? found.filter((one) => one && typeof one.key === "string") : [];
    } catch {
      return [];
    }
  };
  const write = (saved) => {
    try {
      localStorage.setItem(SAVED, JSON.stringify(saved));
      return true;
    } catch {
      say("Not saved: this browser does not let pages store anything.");
      return false;
    }
  };
  const silent = () => {
    try {
      return localStorage.getItem(SILENT) === "yes";
    } catch {
      return false;
    }
  };
  const say = (text) => {
    news.textContent = text;
  };
  const isSaved = (key) => read().some((one) => one.key === key);
  const titleOf = (card) => card.querySelector(".headline").textContent.trim();
  const linkOf = (card) => card.querySelector(".headline a");

  const described = (card) => {
    const byline = card.querySelector(".byline, .authors");
    return {
      key: card.dataset.paper,
      title: titleOf(card),
      url: linkOf(card) ? linkOf(card).getAttribute("href") : location.pathname,
      byline: byline ? byline.textContent.trim() : "",
    };
  };

  /* Who is signed in saves in the library, by a form of the page. */
  const press = (card, what) => {
    const button = card && card.querySelector(`button[data-${what}]`);
    if (button) button.click();
    return Boolean(button);
  };

  const paint = () => {
    const keys = new Set(read().map((one) => one.key));
    for (const card of papers) {
      const button = card.querySelector("button[data-save]");
      if (!button) continue;
      const on = keys.has(card.dataset.paper);
      button.classList.toggle("on", on);
      button.textContent = on ? "saved" : "save";
      button.setAttribute("aria-label", `${on ? "saved, take off again" : "save on this device"}: ${titleOf(card)}`);
    }
  };

  const put = (paper, on) => {
    const others = read().filter((one) => one.key !== paper.key);
    if (!write(on ? [paper, ...others] : others)) return false;
    say(`${on ? "Saved" : "Taken off"}: ${paper.title}`);
    paint();
    list();
    return true;
  };
  const toggle = (paper) => {
    const on = !isSaved(paper.key);
    if (put(paper, on)) last = { paper, on };
  };
  const undo = () => {
    if (!last) return say("Nothing to undo.");
    const { paper, on } = last;
    last = null;
    put(paper, !on);
  };

  /* With nothing chosen, after going back for example, the keys begin at what is seen, not at the top of the page. */
  const before = (step) => {
    const seen = papers.findIndex((card) => card.getBoundingClientRect().top >= 0);
    return (seen < 0 ? papers.length - 1 : seen) - step;
  };
  const go = (step) => {
    if (!papers.length) return;
    const focused = papers.findIndex((card) => card.contains(document.activeElement));
    at = Math.min(Math.max((focused >= 0 ? focused : at >= 0 ? at : before(step)) + step, 0), papers.length - 1);
    for (const card of papers) card.classList.toggle("here", card === papers[at]);
    const link = linkOf(papers[at]);
    if (link) link.focus({ preventScroll: true });
    papers[at].scrollIntoView({ block: "nearest", behavior: "instant" });
  };
  const current = () => papers.find((card) => card.classList.contains("here")) || (papers.length === 1 ? papers[0] : null);

  const actions = {
    j: () => go(1),
    k: () => go(-1),
    o: () => current() && linkOf(current()) && linkOf(current()).click(),
    s: () => current() && (press(current(), "keep") || toggle(described(current()))),
    u: () => press(current(), "undo") || undo(),
    v: () => current() && current().querySelector("[data-vote]") && current().querySelector("[data-vote]").click(),
    "/": () => search && search.focus(),
    "?": () => (sheet.open ? sheet.close() : sheet.showModal()),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || silent()) return;
    if (event.key === "Escape" && event.target === search) return search.blur();
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (sheet.open && event.key !== "?") return;
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest("[data-paper]");
    if (!card) return;
    at = papers.indexOf(card);
    for (const other of papers) other.classList.toggle("here", other === card);
  });

  for (const card of papers) {
    if (card.querySelector("[data-keep]")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.save = "";
    button.addEventListener("click", () => toggle(described(card)));
    (card.querySelector(".foot") || card.querySelector(".head") || card).append(button);
  }

  /* The page of saved papers, and on that of the keys the switch (single keys must be possible to turn off). */
  const place = document.getElementById("saved-list");
  const list = () => {
    if (!place) return;
    const saved = read();
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = saved.length
      ? "Kept by your browser on this device, not by this server. Clearing the browser's data for this site clears them."
      : "Nothing yet. Press s on a paper, or its “save”. Your browser keeps the list on this device; this server never learns of it.";
    const items = document.createElement("ul");
    items.className = "saved";
    for (const paper of saved) {
      const item = document.createElement("li");
      const text = document.createElement("div");
      const link = document.createElement("a");
      link.href = typeof paper.url === "string" && paper.url.startsWith("/") ? paper.url : "/";
      link.textContent = paper.title || paper.key;
      const byline = document.createElement("div");
      byline.className = "byline";
      byline.textContent = paper.byline || "";
      text.append(link, byline);
      const off = document.createElement("button");
      off.type = "button";
      off.textContent = "take off";
      off.setAttribute("aria-label", `Take off: ${paper.title}`);
      off.addEventListener("click", () => toggle(paper));
      item.append(text, off);
      items.append(item);
    }
    place.replaceChildren(note, ...(saved.length ? [items] : []));
    const move = document.getElementById("saved-move");
    if (!move) return;
    move.hidden = !saved.length;
    for (const field of move.querySelectorAll("input[name=paper]")) field.remove();
    for (const paper of saved.slice(0, 1000)) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: "paper", value: paper.key });
      move.append(field);
    }
  };
  const holder = document.getElementById("keys-switch");
  if (holder) {
    const button = holder.querySelector("button");
    const show = () => {
      button.textContent = silent() ? "Turn the keys on" : "Turn the keys off on this device";
    };
    button.addEventListener("click", () => {
      try {
        localStorage.setItem(SILENT, silent() ? "no" : "yes");
      } catch {
        say("This browser does not let pages store anything.");
      }
      show();
    });
    holder.hidden = false;
    show();
  }
  window.addEventListener("storage", () => {
    paint();
    list();
  });
  /* What scrolls by itself, a formula wider than its column, is reached by the Tab key in every browser. */
  for (const formula of document.querySelectorAll("main math")) {
    const scrolled = formula.closest("p, dd");
    if (scrolled && scrolled.scrollWidth > scrolled.clientWidth) {
      scrolled.tabIndex = 0;
    }
  }
  paint();
  list();
})();
