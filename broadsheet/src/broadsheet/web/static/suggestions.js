/* Suggestions while somebody types into a search field: a combobox with a list, as the ARIA Authoring Practices
   describe it (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). Without this script the field is a plain one. */
"use strict";
(() => {
  const ADDRESS = document.currentScript.dataset.address;
  const PAUSE = 120; /* milliseconds after a key before the server is asked */
  const SHORTEST = 2;
  const LONGEST = 200;

  const attach = (form, input) => {
    const name = `${input.id}-suggestions`;
    const list = document.createElement("ul");
    list.id = name;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    list.hidden = true;
    const news = document.createElement("span");
    news.className = "unseen";
    news.setAttribute("role", "status");
    form.append(list, news);
    for (const [attribute, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-controls", name],
      ["aria-expanded", "false"],
      ["autocapitalize", "none"],
      ["spellcheck", "false"],
    ]) {
      input.setAttribute(attribute, value);
    }

    let asking = null; /* the request that is under way; there is never more than one */
    let timer = 0;
    let at = -1;
    let shownFor = null;

    const options = () => [...list.children];
    const choose = (place) => {
      const all = options();
      at = place;
      all.forEach((option, n) => option.setAttribute("aria-selected", String(n === at)));
      if (at < 0) {
        input.removeAttribute("aria-activedescendant");
      } else {
        input.setAttribute("aria-activedescendant", all[at].id);
        all[at].scrollIntoView({ block: "nearest", behavior: "instant" });
      }
    };
    const forget = () => {
      clearTimeout(timer);
      if (asking) asking.abort();
      asking = null;
    };
    const close = () => {
      forget();
      choose(-1);
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      news.textContent = "";
    };
    const open = () => {
      if (!list.children.length) return;
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    };

    const made = (suggestion, place) => {
      const option = document.createElement("li");
      option.id = `${name}-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.url = suggestion.url;
      for (const part of ["kind", "text", "note"]) {
        if (!suggestion[part]) continue;
        const piece = document.createElement("span");
        piece.className = part;
        piece.textContent = suggestion[part];
        if (option.children.length) option.append(" ");
        option.append(piece);
      }
      return option;
    };
    const show = (text, suggestions) => {
      shownFor = text;
      at = -1;
      input.removeAttribute("aria-activedescendant");
      list.replaceChildren(...suggestions.map(made));
      list.scrollTop = 0;
      if (suggestions.length) open();
      else close();
      news.textContent =
        suggestions.length === 1 ? "1 suggestion" : `${suggestions.length || "No"} suggestions`;
    };

    const wanted = () => input.value.trim().replace(/\s+/g, " ");
    const askable = (text) => text.length >= SHORTEST && text.length <= LONGEST;
    const ask = async () => {
      forget();
      const text = wanted();
      if (!askable(text)) return close();
      if (text === shownFor) return open();
      const request = new AbortController();
      asking = request;
      try {
        const answer = await fetch(`${ADDRESS}?q=${encodeURIComponent(text)}`, { signal: request.signal });
        const found = answer.ok ? (await answer.json()).suggestions : [];
        if (asking !== request) return;
        asking = null;
        if (document.activeElement === input) show(text, found);
      } catch {
        /* Aborted, or no connection: the field still works as a plain one. */
        if (asking === request) close();
      }
    };
    const askSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    };

    const go = (option, elsewhere) => {
      close();
      if (elsewhere) window.open(option.dataset.url, "_blank", "noopener");
      else location.assign(option.dataset.url);
    };
    const move = (step) => {
      const count = options().length;
      /* From the last one, and from the first one upwards, back to the field itself. */
      choose(((at + 1 + step + count + 1) % (count + 1)) - 1);
    };

    input.addEventListener("input", (event) => {
      if (at >= 0) choose(-1);
      if (!event.isComposing) askSoon();
    });
    input.addEventListener("compositionend", askSoon);
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const closed = list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (event.altKey && event.key === "ArrowUp") close();
        else if (closed) ask();
        else if (!event.altKey) move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter" && !closed && at >= 0) {
        event.preventDefault();
        go(options()[at], false);
      } else if (event.key === "Escape" && !closed) {
        /* The first Escape closes the list and keeps what was typed; the next one leaves the field. */
        event.preventDefault();
        event.stopPropagation();
        close();
      }
    });
    input.addEventListener("blur", close);
    form.addEventListener("submit", close);
    /* Pressing an option must not take the focus from the field. */
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) go(option, event.ctrlKey || event.metaKey);
    });
    list.addEventListener("auxclick", (event) => {
      const option = event.target.closest("[role=option]");
      if (option && event.button === 1) go(option, true);
    });
    window.addEventListener("pagehide", close);
  };

  for (const form of document.querySelectorAll("form.find")) {
    const input = form.querySelector("input[type=search]");
    if (input) attach(form, input);
  }
})();
