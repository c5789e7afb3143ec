/* What the server refuses of a form that was sent without leaving the page: its sentence stands above the page until the
   next form is sent. Without scripts the same sentence is a page of its own. */
"use strict";
(() => {
  const LONGEST = 2000;
  let shown = null;

  const say = (sentence) => {
    shown?.remove();
    shown = document.createElement("p");
    shown.className = "refusal";
    shown.setAttribute("role", "alert");
    shown.textContent = sentence.slice(0, LONGEST);
    document.querySelector("main").prepend(shown);
    shown.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("htmx:beforeRequest", () => shown?.remove());
  document.addEventListener("htmx:sendError", () => say("The server does not answer. Nothing was changed; try again."));
  document.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    const isSentence = (answer.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    say(isSentence ? answer.responseText : "The server did not do this. Load the page again.");
  });
})();
