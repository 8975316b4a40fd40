// The page of a run: a cell of the confusion matrix shows its mistakes; a long gallery unfolds.
"use strict";
(() => {
  const list = document.getElementById("mistake-list");
  if (!list) return;
  const FIRST = 24;
  const items = [...list.children];
  const filterLine = document.getElementById("mistake-filter");
  const moreLine = document.getElementById("mistake-more");
  const nameOf = (item, part) => item.querySelector(part).lastChild.textContent.trim();

  function makeButton(text, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", action);
    return button;
  }

  function showFirst(count) {
    items.forEach((item, index) => { item.hidden = index >= count; });
    filterLine.hidden = true;
    moreLine.hidden = count >= items.length;
    moreLine.replaceChildren(makeButton(`Show all ${items.length}`, () => {
      showFirst(items.length);
      items[FIRST].tabIndex = -1;
      items[FIRST].focus();
    }));
  }

  function showCell(link) {
    const { true: truth, predicted, rows } = link.dataset;
    let shown = 0;
    for (const item of items) {
      item.hidden = item.dataset.true !== truth || item.dataset.predicted !== predicted;
      if (!item.hidden) shown += 1;
    }
    const what = link.getAttribute("aria-label").replace(/^[^:]*: mistakes of /, "");
    const count = shown < Number(rows) ? `${shown} of ${rows}` : `All ${rows}`;
    filterLine.hidden = false;
    filterLine.replaceChildren(`${count}: ${what}. `, makeButton("Show the others too", () => {
      showFirst(FIRST);
      link.focus();
    }));
    moreLine.hidden = true;
  }

  for (const link of document.querySelectorAll("a[data-true]")) {
    link.addEventListener("click", () => showCell(link));
  }
  showFirst(FIRST);
})();
