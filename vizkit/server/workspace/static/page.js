// All works without this: it compares when two runs are selected, submits a choice at once, and follows the log.
"use strict";

function compareButton() {
  const form = document.getElementById("compare");
  if (!form) return;
  const update = () => {
    form.querySelector("button").disabled = form.querySelectorAll("input[name=run]:checked").length < 2;
  };
  form.addEventListener("change", update);
  update();
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".bar select")) event.target.form.requestSubmit();
});

// Asks for the document anew, and puts its content in place where it is another and nobody is at work in it.
const PAUSE = 10000;
const content = (page) => page.querySelector("header").outerHTML + page.getElementById("main").outerHTML;
let shown = content(document);

function busy() {
  const main = document.getElementById("main");
  return document.hidden || main.querySelector("details[open], input[name=run]:checked, .probe:hover") !== null
    || (main.contains(document.activeElement) && document.activeElement !== main);
}

async function follow() {
  if (!busy()) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-cache" });
      if (answer.ok) {
        const made = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = content(made);
        if (now !== shown && !busy()) {
          shown = now;
          document.querySelector("header").replaceWith(made.querySelector("header"));
          document.getElementById("main").replaceWith(made.getElementById("main"));
          compareButton();
        }
      }
    } catch {
      // The server is not there at the moment: what was shown stays.
    }
  }
  setTimeout(follow, PAUSE);
}

compareButton();
setTimeout(follow, PAUSE);
